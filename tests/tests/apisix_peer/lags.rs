//! The twin's workers follow with a delay, and not at all while etcd hangs or is stale.

use crate::peer::Peer;
use http::Method;
use serde_json::{Value, json};
use site_tests::{
    apisix::{EtcdState, Lags, Options},
    talk::{Connection, request, until},
    upstream::Upstream,
};
use std::time::Duration;

const PATH: &str = "/v1/models";

fn shut() -> Value {
    json!({ "plugins": { "fault-injection": { "abort": { "http_status": 503 } } } })
}

fn served(upstream: &Upstream) -> Value {
    json!({ "uri": "/v1/*", "upstream": { "nodes": { upstream.addr.to_string(): 1 } } })
}

async fn status(connection: &mut Connection) -> u16 {
    let answer = connection.ask(request(&Method::GET, PATH, &[], "")).await;
    answer.map_or(0, |answer| answer.status)
}

/// Time in tests goes by itself: lags are long, and what has to wait is asked while they last.
#[tokio::test]
async fn each_worker_follows_in_its_own_time_and_a_delete_takes_longer() {
    let upstream = Upstream::start().unwrap();
    let peer = Peer::twin(Options::default());
    let twin = peer.told();
    twin.place("routes/one", served(&upstream)).unwrap();
    twin.settled().await.unwrap();
    // Two connections in a row are two workers'.
    let mut first = Connection::to(peer.data).await.unwrap();
    let mut second = Connection::to(peer.data).await.unwrap();
    assert_eq!(
        (status(&mut first).await, status(&mut second).await),
        (200, 200)
    );
    let hour = Duration::from_secs(3600);
    twin.lags(Lags {
        set: Duration::ZERO,
        delete: hour,
        spread: hour,
    });
    peer.put("global_rules/cut", shut()).await;
    assert!(twin.behind());
    let seen = [status(&mut first).await, status(&mut second).await];
    assert!(seen == [503, 200] || seen == [200, 503], "{seen:?}");
    // A later write that both are due brings the earlier one with it: they come in order.
    twin.lags(Lags::none());
    peer.put("global_rules/cut", shut()).await;
    assert_eq!(
        (status(&mut first).await, status(&mut second).await),
        (503, 503)
    );
    twin.lags(Lags {
        set: Duration::ZERO,
        delete: hour,
        spread: Duration::ZERO,
    });
    peer.delete("global_rules/cut").await;
    assert_eq!(
        (status(&mut first).await, status(&mut second).await),
        (503, 503)
    );
    assert_eq!(twin.stored("global_rules/cut"), None);
}

#[tokio::test]
async fn a_write_into_a_hung_etcd_is_not_answered_and_is_done_when_it_is_back() {
    let upstream = Upstream::start().unwrap();
    let peer = Peer::twin(Options::default());
    let twin = peer.told();
    twin.place("routes/one", served(&upstream)).unwrap();
    twin.settled().await.unwrap();
    twin.etcd(EtcdState::Hung);
    let key = [("x-api-key", "twin-admin-key")];
    let mut admin = Connection::to(peer.admin).await.unwrap();
    let write = request(
        &Method::PUT,
        "/apisix/admin/global_rules/cut",
        &key,
        shut().to_string(),
    );
    assert!(
        admin
            .within(Duration::from_millis(300), write)
            .await
            .is_none()
    );
    drop(admin);
    let mut admin = Connection::to(peer.admin).await.unwrap();
    let look = request(&Method::GET, "/apisix/admin/global_rules", &key, "");
    assert!(
        admin
            .within(Duration::from_millis(100), look)
            .await
            .is_none(),
        "a look waits as well"
    );
    assert_eq!((twin.waiting(), twin.stored("global_rules/cut")), (2, None));
    peer.everywhere(PATH, 200).await;
    twin.etcd(EtcdState::Up);
    assert!(
        twin.stored("global_rules/cut").is_some(),
        "whoever asked has long gone"
    );
    peer.everywhere(PATH, 503).await;
}

#[tokio::test]
async fn a_stale_etcd_takes_writes_that_no_worker_sees() {
    let upstream = Upstream::start().unwrap();
    let peer = Peer::twin(Options {
        lags: Lags::none(),
        ..Options::default()
    });
    let twin = peer.told();
    twin.place("routes/one", served(&upstream)).unwrap();
    twin.settled().await.unwrap();
    peer.everywhere(PATH, 200).await;
    twin.etcd(EtcdState::Stale);
    peer.put("global_rules/cut", shut()).await;
    assert!(twin.behind() && twin.stored("global_rules/cut").is_some());
    peer.everywhere(PATH, 200).await;
    // A restart reads everything anew.
    twin.restart();
    peer.everywhere(PATH, 503).await;
}

#[tokio::test]
async fn a_restart_breaks_streams_and_keeps_what_etcd_has() {
    let upstream = Upstream::start().unwrap();
    let peer = Peer::twin(Options::default());
    let twin = peer.told();
    twin.place("routes/one", served(&upstream)).unwrap();
    twin.settled().await.unwrap();
    let mut connection = Connection::to(peer.data).await.unwrap();
    let body = json!({ "model": "slow", "stream": true, "max_tokens": 1000, "messages": [] });
    let ask = request(&Method::POST, "/v1/chat/completions", &[], body.to_string());
    let asked = connection.open(ask).await.unwrap();
    assert_eq!((asked.status().as_u16(), twin.open()), (200, 1));
    twin.restart();
    assert!(
        http_body_util::BodyExt::collect(asked.into_body())
            .await
            .is_err()
    );
    until("nothing open", || async { twin.open() == 0 }).await;
    peer.everywhere(PATH, 200).await;
}
