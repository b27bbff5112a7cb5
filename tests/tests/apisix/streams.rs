//! Streams that were open when a cut came. A gateway goes on with what it has begun: they end in the kernel, or the cut is
//! not called done.

use crate::house::{House, LONG, key};
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use site_tests::apisix::Options;
use tokio::net::TcpStream;
use tokio::time::timeout;

#[tokio::test]
async fn a_stream_ends_with_the_cut_or_is_named() {
    let house = House::with(Options::default(), |settings| settings.sever = true);
    let house = house.opened().await;
    let stream = TcpStream::connect(house.twin.data).await.unwrap();
    let (mut sender, wire) = handshake(TokioIo::new(stream)).await.unwrap();
    let body = r#"{"model":"slow","stream":true,"max_tokens":60,"messages":[{"role":"user","content":"x"}]}"#;
    let request = Request::post("/v1/chat/completions")
        .header("host", "gateway.test")
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {}", key("claw").expose()))
        .body(Full::new(Bytes::from(body)))
        .unwrap();
    let reading = async {
        let mut answer = sender.send_request(request).await.unwrap().into_body();
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
        house.refused().await.len()
    };
    tokio::pin!(reading);
    let refused = tokio::select! {
        refused = &mut reading => refused,
        _ = wire => reading.await,
    };
    assert_eq!(refused, crate::house::WAYS.len());
}
