//! Streams that were open when a cut came. A gateway goes on with what it has begun: they end in the kernel, or the cut is
//! not called done.

use crate::house::{House, LONG, key};
use http::Method;
use http_body_util::BodyExt as _;
use site_tests::apisix::Options;
use site_tests::talk::{Connection, request};
use tokio::time::timeout;

#[tokio::test]
async fn a_stream_ends_with_the_cut_or_is_named() {
    let house = House::with(Options::default(), |settings| settings.sever = true);
    let house = house.opened().await;
    let mut line = Connection::to(house.twin.data).await.unwrap();
    let body = r#"{"model":"slow","stream":true,"max_tokens":60,"messages":[{"role":"user","content":"x"}]}"#;
    let bearer = format!("Bearer {}", key("claw").expose());
    let headers = [
        ("content-type", "application/json"),
        ("authorization", &bearer),
    ];
    let asked = request(&Method::POST, "/v1/chat/completions", &headers, body);
    let mut answer = line.open(asked).await.unwrap().into_body();
    answer.frame().await.unwrap().unwrap();
    let done = house.apply(2, &["ALL"]).await.unwrap();
    if done.goes_on.is_none() {
        assert!(done.severed >= 1, "{done:?}");
        let rest = timeout(LONG, async {
            while let Some(Ok(_)) = answer.frame().await {}
        });
        rest.await.unwrap();
    } else {
        assert!(fence::may_sever().is_err(), "{done:?}");
    }
    assert_eq!(house.refused().await.len(), crate::house::WAYS.len());
}
