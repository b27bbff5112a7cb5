//! What LiteLLM 1.102.4 posted, what others may post in its place, and APISIX's rows in our log format.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use kill_wire::{Class, Name, Timestamp};
use net_model::{Api, Ended, MicroDollars, UsageRecord};
use prices::Prices;
use proptest::prelude::*;
use serde_json::{Value, json};
use usage_feeds::{Fed, Kind, MAX_ROWS, NotUsage, Reading, read, spend_page};

/// As it came, but for tracebacks and the table of prices in each row.
const POSTED: &str = include_str!("data/litellm-1.102.4.json");

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

fn fed(kind: Kind, body: &str) -> Result<Fed, NotUsage> {
    let (source, prices): (Name, _) = ("proxy".parse().unwrap(), Prices::default());
    let with = Reading {
        source: &source,
        prices: &prices,
        now: NOW,
    };
    read(kind, body.as_bytes(), &with)
}

fn posted() -> Vec<Value> {
    serde_json::from_str(POSTED).unwrap()
}

/// The first posted row, with some of it changed.
fn changed(change: impl FnOnce(&mut Value)) -> UsageRecord {
    let mut row = posted().remove(0);
    change(&mut row);
    fed(Kind::Litellm, &row.to_string())
        .unwrap()
        .records
        .remove(0)
}

#[test]
fn what_litellm_posted_becomes_lines_of_the_ledger() {
    let fed = fed(Kind::Litellm, POSTED).unwrap();
    // The fourth was refused at the door: no model was called.
    assert_eq!((fed.records.len(), fed.passed_over), (3, 1));
    let [plain, stream, anthropic] = &fed.records[..] else {
        panic!("{fed:?}");
    };
    assert_eq!(
        plain.id,
        "8671bc34-f057-4c42-8eb8-a66e717c6b91@1795309789.273475"
    );
    assert_eq!((plain.prompt_tokens, plain.completion_tokens), (10, 20));
    assert_eq!(
        (plain.model.as_str(), plain.class),
        ("canned", Class::Cloud)
    );
    assert_eq!(
        (plain.consumer.as_str(), plain.route.as_str()),
        ("proxy", "proxy")
    );
    assert_eq!(plain.target.as_str(), "openai");
    assert_eq!(
        (plain.status, plain.ended, plain.stream),
        (200, Ended::Complete, false)
    );
    assert_eq!((plain.at.millis(), plain.took_ms), (1_795_309_789_296, 23));
    // By our table, for openai/gpt-4o: 10 x 2.50 + 20 x 10.
    assert_eq!(plain.cost, Some(MicroDollars(225)));
    assert!(
        stream.stream && stream.first_byte_ms == Some(22),
        "{stream:?}"
    );
    assert_eq!((anthropic.api, plain.api), (Api::Messages, Api::Chat));
    assert_eq!(anthropic.prompt_tokens, 2095);
}

#[test]
fn a_call_is_known_by_more_than_its_client_or_its_upstream_chose() {
    let one = changed(|row| row["litellm_call_id"] = json!("chosen-by-the-client"));
    let other = changed(|row| {
        row["litellm_call_id"] = json!("chosen-by-the-client");
        row["startTime"] = json!(1_795_309_789.273_476);
    });
    assert_ne!(one.id, other.id);
    let same_answer = changed(|row| row["litellm_call_id"] = json!("another"));
    assert_ne!(one.id, same_answer.id);
    assert_eq!(
        one,
        changed(|row| row["litellm_call_id"] = json!("chosen-by-the-client"))
    );
}

#[test]
fn what_a_caller_says_of_itself_makes_nobody_else_pay() {
    let pretends = changed(|row| {
        row["end_user"] = json!("somebody-else");
        row["metadata"]["user_api_key_end_user_id"] = json!("somebody-else");
    });
    assert_eq!(pretends.consumer.as_str(), "proxy");
    let known = changed(|row| row["metadata"]["user_api_key_alias"] = json!("claw"));
    assert_eq!(known.consumer.as_str(), "claw");
    let unnamed = changed(|row| row["metadata"]["user_api_key_hash"] = json!("88dc28d0f030c55e"));
    assert_eq!(unnamed.consumer.as_str(), "key-88dc28d0");
}

#[test]
fn an_unknown_price_stays_unknown_and_the_house_pays_nothing_twice() {
    let unknown = changed(|row| {
        row["model"] = json!("openai/nobody-knows");
        row["response_cost"] = json!(0.0);
    });
    assert_eq!(unknown.cost, None);
    let local = changed(|row| row["api_base"] = json!("http://10.0.0.7:11434"));
    assert_eq!(
        (local.class, local.cost),
        (Class::Local, Some(MicroDollars::ZERO))
    );
    let kept = changed(|row| row["cache_hit"] = json!(true));
    assert_eq!(kept.cost, Some(MicroDollars::ZERO));
    let failed = changed(|row| {
        row["status"] = json!("failure");
        row["error_information"] = json!({"error_code": "429"});
    });
    assert_eq!((failed.status, failed.ended), (429, Ended::UpstreamFailed));
}

#[test]
fn rows_come_as_an_array_a_line_each_or_alone() {
    let rows: Vec<String> = posted().iter().map(Value::to_string).collect();
    let wanted = fed(Kind::Litellm, POSTED).unwrap();
    assert_eq!(fed(Kind::Litellm, &rows.join("\n")).unwrap(), wanted);
    assert_eq!(
        fed(Kind::Litellm, &rows[0]).unwrap().records,
        wanted.records[..1]
    );
    assert_eq!(fed(Kind::Litellm, "[]").unwrap(), Fed::default());
    // LiteLLM sends null where it failed to make a row.
    assert_eq!(fed(Kind::Litellm, "[null]").unwrap().passed_over, 1);
}

#[test]
fn what_is_hostile_is_bounded_or_refused() {
    let many = format!("[{}]", vec!["0"; MAX_ROWS + 1].join(","));
    assert!(matches!(fed(Kind::Litellm, &many), Err(NotUsage::TooMany)));
    let lines = "{}\n".repeat(MAX_ROWS + 1);
    assert!(matches!(fed(Kind::Apisix, &lines), Err(NotUsage::TooMany)));
    for wrong in ["", " ", "nonsense", "[", "[{}", "{}{", "[]x", "\u{0}"] {
        let refused = fed(Kind::Litellm, wrong);
        assert!(
            matches!(refused, Err(NotUsage::NotJson(_))),
            "{wrong:?}: {refused:?}"
        );
    }
    let deep = format!("[{}{}]", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(fed(Kind::Litellm, &deep).unwrap().passed_over, 1);
    let row = changed(|row| {
        row["prompt_tokens"] = json!(1e300);
        row["completion_tokens"] = json!(-5);
        row["model_group"] = json!("m\n\u{1b}[31m".repeat(1000));
        row["endTime"] = json!(9e11);
        row["litellm_call_id"] = json!("x".repeat(100_000));
        row["metadata"]["user_api_key_alias"] = json!("ALL");
    });
    assert_eq!((row.prompt_tokens, row.completion_tokens), (0, 0));
    assert!(row.model.len() <= 512 && !row.model.contains(['\n', '\u{1b}']));
    assert!(row.at == NOW && row.id.len() < 100);
    assert_ne!(
        row.consumer.as_str(),
        "all",
        "no consumer is called as a scope is"
    );
}

#[test]
fn a_row_of_apisix_says_who_asked_what_and_which_incident_refused_it() {
    let row = json!({
        "request_id": "0f7a2b6c9d3e4f508192a3b4c5d6e7f8", "consumer": "portcullis_claw", "route": "portcullis-chat", "target": "ollama",
        "class": "local", "model": "llama3.2", "prompt_tokens": "12", "completion_tokens": 34, "status": 200,
        "end": "1795309789.296", "took": "1.250", "request_type": "ai_stream", "first_ms": "310"
    });
    let record = &fed(Kind::Apisix, &json!([row]).to_string())
        .unwrap()
        .records[0];
    assert_eq!((record.prompt_tokens, record.completion_tokens), (12, 34));
    assert_eq!(
        (record.consumer.as_str(), record.target.as_str()),
        ("claw", "ollama")
    );
    assert_eq!((record.took_ms, record.first_byte_ms), (1250, Some(310)));
    assert_eq!(
        (record.cost, record.stream),
        (Some(MicroDollars::ZERO), true)
    );
    assert_eq!(record.route.as_str(), "chat");
    let mut refused = row;
    refused["status"] = json!("503");
    refused["incident"] = json!("7");
    let record = &fed(Kind::Apisix, &refused.to_string()).unwrap().records[0];
    assert_eq!(
        (record.ended, record.incident.map(kill_wire::Incident::get)),
        (Ended::Cut, Some(7))
    );
    assert_eq!(record.fell_back_from, None);
    // Variables that hold nothing are left out, or stand as a dash.
    let bare = json!({"request_id": "a", "prompt_tokens": "-", "status": 404, "incident": ""});
    let record = &fed(Kind::Apisix, &bare.to_string()).unwrap().records[0];
    assert_eq!(
        (record.prompt_tokens, record.incident, record.cost),
        (0, None, None)
    );
    assert_eq!(
        fed(Kind::Apisix, r#"{"status":200}"#).unwrap().passed_over,
        1
    );
}

#[test]
fn a_page_of_litellms_own_ledger_is_read() {
    let body = json!({
        "data": [{
            "request_id": "chatcmpl-1", "call_type": "acompletion", "api_key": "88dc28d0f030c55e", "spend": 0.1,
            "prompt_tokens": 5, "completion_tokens": 6, "startTime": "A", "endTime": "B", "model": "openai/gpt-4o",
            "model_group": "chat", "custom_llm_provider": "openai", "api_base": "", "cache_hit": "False",
            "status": "success", "metadata": {"user_api_key_alias": "claw"}
        }, 7],
        "total": 2, "page": 1, "page_size": 100, "total_pages": 3
    });
    let (source, prices): (Name, _) = ("proxy".parse().unwrap(), Prices::default());
    let with = Reading {
        source: &source,
        prices: &prices,
        now: NOW,
    };
    let time = |text: &str| match text {
        "A" => Some(5_000),
        "B" => Some(7_500),
        _ => None,
    };
    let page = spend_page(body.to_string().as_bytes(), &with, time).unwrap();
    assert_eq!((page.pages, page.fed.passed_over), (3, 1));
    let row = &page.fed.records[0];
    assert_eq!(
        (row.id.as_str(), row.consumer.as_str(), row.took_ms),
        ("chatcmpl-1", "claw", 2500)
    );
    assert_eq!(row.cost, Some(MicroDollars(5 * 25 / 10 + 61)));
    assert!(spend_page(b"{}", &with, time).is_err());
}

fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 4, |inner| {
        prop::collection::vec(inner, 0..4).prop_map(Value::from)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_field_of_any_kind_breaks_a_batch(field in 0..24_usize, value in anything(), kind in 0..2_usize) {
        let mut row = posted().remove(0);
        let names: Vec<String> = row.as_object().unwrap().keys().cloned().collect();
        row[&names[field % names.len()]] = value.clone();
        let mut line = json!({"request_id": "r"});
        let fields = ["consumer", "route", "model", "prompt_tokens", "status", "end", "took", "incident", "class"];
        line[fields[field % fields.len()]] = value;
        let (kind, body) = [(Kind::Litellm, row), (Kind::Apisix, line)][kind].clone();
        let fed = fed(kind, &json!([body, body]).to_string()).unwrap();
        prop_assert_eq!(fed.records.len() + fed.passed_over, 2);
        for record in fed.records {
            prop_assert!(record.at <= NOW && record.id.len() < 128 && record.model.len() <= 512);
            prop_assert!(record.prompt_tokens <= 1_000_000_000_000);
        }
    }

    #[test]
    fn no_bytes_break_the_reader(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let text = String::from_utf8_lossy(&bytes);
        drop(fed(Kind::Litellm, &text));
        drop(fed(Kind::Apisix, &text));
    }
}

#[test]
fn a_target_that_answered_in_place_of_another_is_told() {
    let row = |status: u16, incident: &str| json!({"request_id": "a", "target": "sky", "status": status, "incident": incident, "fell_back_from": "ollama"});
    let from = |row: Value| {
        let fed = fed(Kind::Apisix, &row.to_string()).unwrap();
        fed.records[0].fell_back_from.as_ref().map(Name::to_string)
    };
    assert_eq!(from(row(200, "")).as_deref(), Some("ollama"));
    assert_eq!(from(row(502, "")).as_deref(), Some("ollama"));
    // Nobody was asked.
    assert_eq!(from(row(503, "7")), None);
    assert_eq!(from(row(429, "")), None);
    assert_eq!(
        from(json!({"request_id": "a", "fell_back_from": ["x"]})),
        None
    );
}
