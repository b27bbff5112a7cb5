//! What routes do besides, where their owner asks for it: tokens counted and limited, each call told of.

use crate::house::{CUT, House, key, name};
use gateways::apisix::metrics::Counts;
use gateways::apisix::{Besides, UsageTo};
use gateways::{Driver, Gateway as _, Mode};
use http::Method;
use net_model::{Limit, Secret, Selector};
use serde_json::{Value, json};
use site_tests::apisix::Options;
use site_tests::talk::{once, request, until};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// Takes in what is posted, as the control plane would.
struct Ledger {
    rows: Arc<Mutex<Vec<Value>>>,
    uri: String,
}

impl Ledger {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = format!(
            "http://{}/api/v1/usage/edge",
            listener.local_addr().unwrap()
        );
        let rows = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&rows);
        #[expect(clippy::disallowed_methods, reason = "ends with the test")]
        tokio::spawn(async move {
            while let Ok((mut line, _)) = listener.accept().await {
                let mut read = Vec::new();
                let body = loop {
                    line.read_buf(&mut read).await.unwrap();
                    let text = String::from_utf8_lossy(&read).into_owned();
                    assert!(!text.is_empty(), "closed");
                    if let Some((head, body)) = text.split_once("\r\n\r\n")
                        && let Ok(body) = serde_json::from_str::<Value>(body)
                    {
                        assert!(head.contains("Bearer token-of-edge"), "{head}");
                        break body;
                    }
                };
                let rows = body.as_array().cloned().unwrap_or_else(|| vec![body]);
                kept.lock().unwrap().extend(rows);
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
                line.write_all(answer).await.unwrap();
            }
        });
        Self { rows, uri }
    }
}

async fn counting(ledger: Option<&Ledger>) -> House {
    let usage = ledger.map(|ledger| UsageTo {
        uri: ledger.uri.clone(),
        token: Secret::new("token-of-edge").unwrap(),
    });
    House::with(Options::default(), |settings| {
        settings.besides = Besides {
            ai_proxy: true,
            usage,
        };
    })
}

async fn post(house: &House, consumer: &str, path: &str) -> u16 {
    let body = json!({ "model": "steady", "max_tokens": 3, "messages": [{ "role": "user", "content": "hi" }] });
    let bearer = format!("Bearer {}", key(consumer).expose());
    let headers = [
        ("content-type", "application/json"),
        ("authorization", &bearer),
    ];
    let asked = request(&Method::POST, path, &headers, body.to_string());
    once(house.twin.data, asked).await.unwrap().status
}

async fn tokens(house: &House) -> (u64, u64) {
    let Driver::Apisix(apisix) = &house.driver else {
        panic!("another driver");
    };
    let counters = apisix.counters().await.unwrap().unwrap();
    let sum = |counts: fn(Counts) -> bool| {
        let models = counters.models.iter().filter(|it| counts(it.counts));
        models.map(|it| it.value).sum()
    };
    assert!(
        counters
            .models
            .iter()
            .all(|it| it.node == "box" && it.route == "portcullis-chat-MODELS")
    );
    (
        sum(|it| matches!(it, Counts::Prompt | Counts::Completion)),
        sum(|it| matches!(it, Counts::Answers(200))),
    )
}

#[tokio::test]
async fn chat_completions_are_counted_and_nothing_that_is_not_may_be_posted() {
    let house = counting(None).await.opened().await;
    assert_eq!(house.ask("claw", "/chat/v1/models").await.0, 200);
    assert_eq!(post(&house, "claw", "/v1/chat/completions").await, 200);
    assert_eq!(post(&house, "claw", "/chat/v1/chat/completions").await, 200);
    assert_eq!(post(&house, "claw", "/chat/v1/embeddings").await, 404);
    assert_eq!(post(&house, "claw", "/v1/responses").await, 404);
    let (counted, calls) = tokens(&house).await;
    assert!(
        counted > 0 && calls == 2,
        "{counted} tokens of {calls} calls"
    );
    // What was written is what was wanted: nothing is written again.
    let again = house
        .driver
        .reconcile(&house.wanted, Mode::Show)
        .await
        .unwrap();
    assert!(again.is_none(), "{again:?}");
}

#[tokio::test]
async fn a_cut_of_a_name_closes_both_routes_of_it() {
    let house = counting(None).await.opened().await;
    house.apply(2, &["chat"]).await.unwrap();
    assert_eq!(post(&house, "claw", "/v1/chat/completions").await, 503);
    assert_eq!(post(&house, "claw", "/chat/v1/chat/completions").await, 503);
    assert_eq!(house.ask("claw", "/chat/v1/models").await.0, 503);
    assert_eq!(post(&house, "claw", "/far/v1/chat/completions").await, 200);
    assert_eq!(house.seq().await, Some(2));
    house.apply(3, &["claw"]).await.unwrap();
    assert_eq!(post(&house, "claw", "/far/v1/chat/completions").await, 503);
    assert_eq!(post(&house, "paw", "/far/v1/chat/completions").await, 200);
    house.apply(4, &[]).await.unwrap();
    assert_eq!(post(&house, "claw", "/v1/chat/completions").await, 200);
    assert!(house.twin.stored(CUT).is_none());
}

#[tokio::test]
async fn tokens_of_a_minute_end_a_consumer_and_nobody_else() {
    let mut house = counting(None).await;
    house.wanted.limits = vec![Limit {
        name: name("few"),
        of: Selector {
            consumer: Some(name("claw")),
            ..Selector::default()
        },
        requests_per_minute: None,
        tokens_per_minute: Some(1),
        open: None,
    }];
    let house = house.opened().await;
    assert_eq!(post(&house, "claw", "/v1/chat/completions").await, 200);
    until("the tokens to be counted", async || {
        tokens(&house).await.0 > 0
    })
    .await;
    assert_eq!(post(&house, "claw", "/v1/chat/completions").await, 429);
    assert_eq!(post(&house, "paw", "/v1/chat/completions").await, 200);
    assert_eq!(
        house
            .driver
            .observe()
            .await
            .unwrap()
            .notices
            .iter()
            .filter(|it| it.contains("limit few"))
            .count(),
        0
    );
}

#[tokio::test]
async fn each_call_is_told_of_once_with_its_target_and_in_whose_place_that_answered() {
    let ledger = Ledger::start().await;
    let mut house = counting(Some(&ledger)).await;
    house.wanted.leads = vec![Some(0), Some(1), Some(0)];
    house.wanted.passed = vec![None, Some(0), None];
    let house = house.opened().await;
    assert_eq!(house.ask("claw", "/chat/v1/models").await.0, 200);
    assert_eq!(post(&house, "claw", "/v1/chat/completions").await, 200);
    assert_eq!(post(&house, "paw", "/far/v1/chat/completions").await, 200);
    let rows = || ledger.rows.lock().unwrap().clone();
    until("two rows", async || rows().len() >= 2).await;
    let mut rows = rows();
    rows.sort_by_key(|row| row["route"].to_string());
    assert_eq!(rows.len(), 2, "a list of models is no call: {rows:?}");
    let told = |row: &Value| {
        ["consumer", "route", "target", "class", "fell_back_from"]
            .map(|key| row[key].as_str().unwrap_or("-").to_owned())
    };
    assert_eq!(
        told(&rows[0]),
        ["portcullis_claw", "chat", "box", "local", "-"]
    );
    assert_eq!(
        told(&rows[1]),
        ["portcullis_paw", "far", "sky", "cloud", "box"]
    );
    assert_ne!(rows[0]["request_id"], rows[1]["request_id"]);
    assert!(rows[0]["prompt_tokens"].as_u64() > Some(0), "{rows:?}");
}

#[tokio::test]
async fn a_logger_that_somebody_turned_away_is_put_right() {
    let ledger = Ledger::start().await;
    let house = counting(Some(&ledger)).await.opened().await;
    let path = "routes/portcullis-chat-MODELS";
    let mut route = house.twin.stored(path).unwrap();
    route["plugins"]["http-logger"]["uri"] = json!("http://127.0.0.1:1/elsewhere");
    route["plugins"]
        .as_object_mut()
        .unwrap()
        .remove("ai-proxy-multi");
    house.twin.place(path, route).unwrap();
    let shown = house
        .driver
        .reconcile(&house.wanted, Mode::Show)
        .await
        .unwrap();
    assert_eq!(shown.changed, ["route portcullis-chat-MODELS"]);
    let drift = house
        .driver
        .reconcile(&house.wanted, Mode::Repair)
        .await
        .unwrap();
    assert_eq!(
        (drift.changed.len(), drift.failed.len()),
        (1, 0),
        "{drift:?}"
    );
    let route = house.twin.stored(path).unwrap();
    assert_eq!(route["plugins"]["http-logger"]["uri"], json!(ledger.uri));
    assert!(route["plugins"].get("ai-proxy-multi").is_some());
}
