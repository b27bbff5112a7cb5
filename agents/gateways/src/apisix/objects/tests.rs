use super::*;
use crate::apisix::UsageTo;
use crate::apisix::state::tests::wanted;
use net_model::Selector;

fn one(wanted: &Wanted, id: &str) -> Value {
    besides(wanted, &Besides::default(), id).unwrap()
}

fn besides(wanted: &Wanted, besides: &Besides, id: &str) -> Option<Value> {
    let mut all = objects(wanted, besides).into_iter();
    all.find(|object| object.id == id)
        .map(|object| object.value)
}

/// Tokens counted, and each call told of.
fn both() -> Besides {
    Besides {
        ai_proxy: true,
        usage: Some(UsageTo {
            uri: "http://127.0.0.1:7410/api/v1/usage/edge".to_owned(),
            token: net_model::Secret::new("token-of-edge").unwrap(),
        }),
    }
}

#[test]
fn a_route_leads_where_it_is_led_and_takes_its_consumers_only() {
    let wanted = wanted();
    let chat = one(&wanted, "portcullis-chat");
    assert_eq!(chat["uris"], json!(["/v1/*", "/chat/v1/*"]));
    assert_eq!(chat["upstream_id"], "portcullis-box");
    assert_eq!(chat["labels"], json!({ "managed-by": "portcullis" }));
    let plugins = &chat["plugins"];
    assert_eq!(
        plugins["consumer-restriction"]["whitelist"],
        json!(["portcullis_claw", "portcullis_paw"])
    );
    assert_eq!(
        plugins["proxy-rewrite"],
        json!({ "regex_uri": ["^(?:/chat)?/v1/(.*)$", "/v1/$1"] })
    );
    let far = one(&wanted, "portcullis-far");
    assert_eq!(far["uris"], json!(["/far/v1/*"]));
    let set = &far["plugins"]["proxy-rewrite"]["headers"]["set"];
    assert_eq!(set["Authorization"], "Bearer key-of-the-house");
    let files = one(&wanted, "portcullis-files");
    assert_eq!(files["uris"], json!(["/files/*"]));
}

#[test]
fn a_route_that_nothing_may_serve_says_so() {
    let mut wanted = wanted();
    wanted.leads = vec![None];
    let chat = one(&wanted, "portcullis-chat");
    assert!(chat.get("upstream_id").is_none());
    assert_eq!(
        chat["plugins"]["fault-injection"]["abort"]["http_status"],
        503
    );
}

#[test]
fn a_way_that_policy_bars_is_not_open() {
    let mut wanted = wanted();
    for consumer in ["claw", "paw"] {
        let way = (consumer.parse().unwrap(), "chat".parse().unwrap());
        wanted.barred.insert(way);
    }
    let chat = one(&wanted, "portcullis-chat");
    let list = &chat["plugins"]["consumer-restriction"]["whitelist"];
    assert_eq!(*list, json!(["portcullis_"]));
}

#[test]
fn an_upstream_has_a_port_and_is_asked_once() {
    let sky = one(&wanted(), "portcullis-sky");
    assert_eq!(sky["nodes"], json!({ "api.example:443": 1 }));
    assert_eq!(
        (&sky["scheme"], &sky["retries"]),
        (&json!("https"), &json!(0))
    );
}

#[test]
fn limits_are_held_where_they_can_be_said_and_named_where_not() {
    let mut wanted = wanted();
    let limit = |name: &str, of: Selector| Limit {
        name: name.parse().unwrap(),
        of,
        requests_per_minute: Some(30),
        tokens_per_minute: None,
        open: None,
    };
    let of_claw = Selector {
        consumer: Some("claw".parse().unwrap()),
        ..Selector::default()
    };
    let of_chat = Selector {
        route: Some("chat".parse().unwrap()),
        ..Selector::default()
    };
    wanted.limits = vec![
        limit("a", of_claw),
        limit("b", of_chat),
        limit("c", Selector::default()),
    ];
    let claw = one(&wanted, "portcullis_claw");
    assert_eq!(claw["plugins"]["limit-count"]["key"], "consumer_name");
    let chat = one(&wanted, "portcullis-chat");
    assert_eq!(chat["plugins"]["limit-count"]["count"], 30);
    let beyond = beyond(&wanted, &Besides::default());
    assert!(
        beyond.len() == 2
            && beyond[0].starts_with("limit c ")
            && beyond[1].starts_with("limit b does not hold whom limit a "),
        "{beyond:?}"
    );
}

#[test]
fn where_tokens_are_counted_nothing_but_chat_completions_is_posted() {
    let (wanted, besides_both) = (wanted(), both());
    let of = |id: &str| besides(&wanted, &besides_both, id);
    let chat = of("portcullis-chat-MODELS").unwrap();
    assert_eq!(
        chat["uris"],
        json!(["/v1/chat/completions", "/chat/v1/chat/completions"])
    );
    assert_eq!(
        (&chat["methods"], chat.get("upstream_id")),
        (&json!(["POST"]), None)
    );
    let plugins = &chat["plugins"];
    let instance = &plugins["ai-proxy-multi"]["instances"][0];
    assert_eq!(instance["name"], "box");
    assert_eq!(
        instance["override"]["endpoint"],
        "http://127.0.0.1:11434/v1/chat/completions"
    );
    // Who may, and that the key goes no further, is as on the other route.
    let free = of("portcullis-chat").unwrap();
    assert_eq!(free["methods"], json!(["GET", "HEAD", "OPTIONS"]));
    for same in [
        "key-auth",
        "consumer-restriction",
        "request-id",
        "prometheus",
    ] {
        assert_eq!(plugins[same], free["plugins"][same], "{same}");
    }
    let far = of("portcullis-far-MODELS").unwrap();
    let header = &far["plugins"]["ai-proxy-multi"]["instances"][0]["auth"]["header"];
    assert_eq!(header["Authorization"], "Bearer key-of-the-house");
    assert!(
        of("portcullis-files-MODELS").is_none(),
        "a tool is no model"
    );
    let files = of("portcullis-files").unwrap();
    assert!(files.get("methods").is_none() && files["plugins"].get("http-logger").is_none());
}

#[test]
fn each_call_is_told_of_with_what_its_gateway_cannot_know() {
    let mut wanted = wanted();
    let logger = |wanted: &Wanted| {
        let route = besides(wanted, &both(), "portcullis-far-MODELS").unwrap();
        route["plugins"]["http-logger"].clone()
    };
    let plain = logger(&wanted);
    assert_eq!(plain["uri"], "http://127.0.0.1:7410/api/v1/usage/edge");
    assert_eq!(plain["auth_header"], "Bearer token-of-edge");
    let format = &plain["log_format"];
    assert_eq!(
        (&format["route"], &format["target"], &format["class"]),
        (&json!("far"), &json!("sky"), &json!("cloud"))
    );
    assert!(format.get("fell_back_from").is_none());
    wanted.passed = vec![None, Some(0), None];
    assert_eq!(logger(&wanted)["log_format"]["fell_back_from"], "box");
    wanted.leads = vec![None; 3];
    let chat = besides(&wanted, &both(), "portcullis-chat-MODELS").unwrap();
    let plugins = &chat["plugins"];
    assert!(plugins.get("http-logger").is_none() && plugins.get("ai-proxy-multi").is_none());
    assert_eq!(plugins["fault-injection"]["abort"]["http_status"], 503);
}

#[test]
fn tokens_a_minute_are_held_where_they_are_counted() {
    let mut wanted = wanted();
    let limit = |name: &str, of: Selector| Limit {
        name: name.parse().unwrap(),
        of,
        requests_per_minute: None,
        tokens_per_minute: Some(500),
        open: None,
    };
    let of_claw = Selector {
        consumer: Some("claw".parse().unwrap()),
        ..Selector::default()
    };
    let of_chat = Selector {
        route: Some("chat".parse().unwrap()),
        ..Selector::default()
    };
    wanted.limits = vec![limit("a", of_claw), limit("b", of_chat)];
    let not: Vec<String> = beyond(&wanted, &Besides::default());
    assert_eq!(not.len(), 2, "{not:?}");
    let held = json!({
        "limit": 500, "time_window": 60, "limit_strategy": "total_tokens", "rejected_code": 429,
    });
    for id in ["portcullis_claw", "portcullis-chat-MODELS"] {
        let object = besides(&wanted, &both(), id).unwrap();
        assert_eq!(object["plugins"]["ai-rate-limiting"], held, "{id}");
    }
    let free = besides(&wanted, &both(), "portcullis-chat").unwrap();
    assert!(free["plugins"].get("ai-rate-limiting").is_none());
    // Each is held, and one of them not for everybody.
    let told = beyond(&wanted, &both());
    assert!(
        told.len() == 1 && told[0].starts_with("limit b does not hold whom limit a "),
        "{told:?}"
    );
}
