//! Usage of gateways that are not ours: who may tell of it, and that each call is counted once.

use crate::house::{House, text};
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use kill_wire::Timestamp;
use net_model::{KeyHash, UsageTotals};
use serde_json::{Value, json};
use std::sync::Arc;
use usage_feeds::Kind;

const LITELLM: &str = "token-of-litellm-0123456789";
const APISIX: &str = "token-of-apisix-0123456789";

async fn house() -> House {
    let house = House::new().await;
    let source = |name: &str, kind, token: &str| dash::Source {
        name: name.parse().unwrap(),
        kind,
        token: KeyHash::of(token.as_bytes()),
    };
    let sources = vec![
        source("proxy", Kind::Litellm, LITELLM),
        source("edge", Kind::Apisix, APISIX),
    ];
    let feeds = dash::Feeds {
        sources,
        ..dash::Feeds::default()
    };
    house.feeds.send(Arc::new(feeds)).unwrap();
    house
}

fn post(path: &str, token: &str, body: impl Into<Body>) -> Request<Body> {
    let request = Request::builder()
        .method(Method::POST)
        .uri(path)
        .header(header::HOST, "127.0.0.1:7410")
        .header(header::CONTENT_TYPE, "application/json");
    let request = if token.is_empty() {
        request
    } else {
        request.header(header::AUTHORIZATION, format!("Bearer {token}"))
    };
    request.body(body.into()).unwrap()
}

fn call(id: usize) -> Value {
    json!({
        "litellm_call_id": format!("call-{id}"), "startTime": 1_795_309_789.5, "endTime": 1_795_309_790.0,
        "call_type": "acompletion", "status": "success", "model": "openai/gpt-4o", "model_group": "chat",
        "prompt_tokens": 10, "completion_tokens": 20
    })
}

fn batch(ids: impl IntoIterator<Item = usize>) -> String {
    Value::from_iter(ids.into_iter().map(call)).to_string()
}

async fn told(house: &House, body: &str) -> Value {
    let answer = house
        .send(post("/api/v1/usage/proxy", LITELLM, body.to_owned()))
        .await;
    assert_eq!(answer.status(), StatusCode::OK);
    serde_json::from_str(&text(answer).await).unwrap()
}

async fn totals(house: &House) -> UsageTotals {
    house.store.usage_since(Timestamp::default()).await.unwrap()
}

#[tokio::test]
async fn what_was_told_twice_is_counted_once() {
    let house = house().await;
    let first = told(&house, &batch(0..5)).await;
    assert_eq!(first, json!({"taken": 5, "known": 0, "passed_over": 0}));
    let again = told(&house, &batch(3..8)).await;
    assert_eq!(again, json!({"taken": 3, "known": 2, "passed_over": 0}));
    let twice_in_one = told(&house, &batch([8, 8])).await;
    assert_eq!(twice_in_one["taken"], 1);
    let totals = totals(&house).await;
    assert_eq!(
        (
            totals.exchanges,
            totals.prompt_tokens,
            totals.completion_tokens
        ),
        (9, 90, 180)
    );
    // 10 x 2.50 + 20 x 10 micro-dollars each.
    assert_eq!((totals.cost.0, totals.unknown_price), (9 * 225, 0));
}

#[tokio::test]
async fn senders_at_the_same_time_make_one_row_of_a_call() {
    let house = Arc::new(house().await);
    let mut posts = tokio::task::JoinSet::new();
    for _ in 0..12 {
        let house = Arc::clone(&house);
        posts.spawn(async move {
            // As a sender does: what was refused for want of room is sent again.
            for _ in 0..1000 {
                let answer = house
                    .send(post("/api/v1/usage/proxy", LITELLM, batch(0..50)))
                    .await;
                if answer.status() == StatusCode::OK {
                    return;
                }
                assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
                tokio::task::yield_now().await;
            }
            panic!("never taken");
        });
    }
    while let Some(done) = posts.join_next().await {
        done.unwrap();
    }
    assert_eq!(totals(&house).await.exchanges, 50);
}

#[tokio::test]
async fn a_token_opens_its_own_source_alone() {
    let house = house().await;
    for (path, token) in [
        ("/api/v1/usage/proxy", ""),
        ("/api/v1/usage/proxy", APISIX),
        ("/api/v1/usage/edge", LITELLM),
        ("/api/v1/usage/nobody", LITELLM),
        ("/api/v1/usage/gateway", LITELLM),
        ("/api/v1/usage/proxy", "token-of-litellm-012345678"),
        ("/api/v1/usage/proxy", &"x".repeat(5000)),
    ] {
        let answer = house.send(post(path, token, batch(0..1))).await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{path}");
        let said = text(answer).await;
        assert!(
            said.contains("wrong_token") && !said.contains(LITELLM),
            "{said}"
        );
    }
    // A session is no token, and a token no session.
    let session = house.session().await;
    let answer = house.post("/api/v1/usage/proxy", &session, "x").await;
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    let mut request = post("/api/v1/config/reload", LITELLM, "");
    *request.uri_mut() = "/api/v1/config/reload".parse().unwrap();
    assert_eq!(house.send(request).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(totals(&house).await.exchanges, 0);
    // Taken out of the configuration, it is nobody.
    house.feeds.send(Arc::default()).unwrap();
    let answer = house
        .send(post("/api/v1/usage/proxy", LITELLM, batch(0..1)))
        .await;
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_database_that_does_not_answer_has_the_sender_come_again() {
    let house = house().await;
    house.store.close().await;
    let answer = house
        .send(post("/api/v1/usage/proxy", LITELLM, batch(0..3)))
        .await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers()[header::RETRY_AFTER], "1");
}

#[tokio::test]
async fn what_is_too_much_or_no_usage_is_refused_and_changes_nothing() {
    let house = house().await;
    let long = format!("[{}]", " ".repeat(usage_feeds::MAX_BYTES));
    for (body, wanted) in [
        (long, StatusCode::PAYLOAD_TOO_LARGE),
        (batch(0..1001), StatusCode::PAYLOAD_TOO_LARGE),
        ("<xml/>".to_owned(), StatusCode::BAD_REQUEST),
        (String::new(), StatusCode::BAD_REQUEST),
    ] {
        let answer = house.send(post("/api/v1/usage/proxy", LITELLM, body)).await;
        assert_eq!(answer.status(), wanted);
    }
    assert_eq!(totals(&house).await.exchanges, 0);
    // Longer than what a form may be, and taken.
    assert_eq!(told(&house, &batch(0..1000)).await["taken"], 1000);
    let unread = told(&house, "[1, {}, null, \"x\"]").await;
    assert_eq!(unread, json!({"taken": 0, "known": 0, "passed_over": 4}));
}

#[tokio::test]
async fn senders_that_never_end_their_batches_hold_no_more_than_their_places() {
    let house = Arc::new(house().await);
    let mut slow = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let house = Arc::clone(&house);
        slow.spawn(async move {
            loop {
                let never = futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>();
                let request = post("/api/v1/usage/proxy", LITELLM, Body::from_stream(never));
                // Whoever finds the last place taken by what is asked below comes again.
                house.send(request).await;
                tokio::task::yield_now().await;
            }
        });
    }
    let small = || post("/api/v1/usage/edge", APISIX, r#"{"request_id":"a"}"#);
    let mut seen = StatusCode::OK;
    for _ in 0..1000 {
        seen = house.send(small()).await.status();
        if seen != StatusCode::OK {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(seen, StatusCode::SERVICE_UNAVAILABLE);
    slow.shutdown().await;
    assert_eq!(house.send(small()).await.status(), StatusCode::OK);
}
