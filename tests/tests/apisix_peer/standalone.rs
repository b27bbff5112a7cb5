//! The API-driven standalone mode of the twin: one document, lost with the process.

use crate::peer::Peer;
use http::Method;
use serde_json::{Value, json};
use site_tests::{
    apisix::{Lags, Options},
    talk::{Answer, once, request},
    upstream::Upstream,
};

fn peer() -> Peer {
    Peer::twin(Options {
        standalone: true,
        lags: Lags::none(),
        ..Options::default()
    })
}

async fn put(peer: &Peer, digest: &str, document: &Value) -> Answer {
    let headers = [("x-api-key", "twin-admin-key"), ("x-digest", digest)];
    let path = "/apisix/admin/configs";
    let ask = request(&Method::PUT, path, &headers, document.to_string());
    once(peer.admin, ask).await.unwrap()
}

#[tokio::test]
async fn a_document_is_put_whole_read_back_with_its_digest_and_lost_on_restart() {
    let upstream = Upstream::start().unwrap();
    let peer = peer();
    let empty = peer.call(&Method::GET, "configs", None).await;
    assert_eq!(
        (empty.status, &empty.json()["routes_conf_version"]),
        (200, &json!(0))
    );
    let rule = json!({ "id": "cut", "plugins": { "fault-injection": { "abort": { "http_status": 503 } } } });
    let route = json!({ "id": "one", "uri": "/v1/*",
        "upstream": { "type": "roundrobin", "nodes": { upstream.addr.to_string(): 1 } } });
    let taken = put(
        &peer,
        "d1",
        &json!({ "routes": [route], "global_rules": [rule] }),
    )
    .await;
    assert_eq!(
        (taken.status, taken.body.is_empty()),
        (202, true),
        "{taken:?}"
    );
    peer.everywhere("/v1/models", 503).await;
    let back = peer.call(&Method::GET, "configs", None).await;
    assert_eq!(back.header("x-digest"), "d1");
    assert_eq!(back.json()["routes"], json!([route]));
    assert_eq!(back.json()["routes_conf_version"], 1);
    // The same digest changes nothing.
    assert_eq!(put(&peer, "d1", &json!({})).await.status, 204);
    let open = put(&peer, "d2", &json!({ "routes": [route] })).await;
    assert_eq!(open.status, 202);
    peer.everywhere("/v1/models", 200).await;
    peer.told().restart();
    peer.everywhere("/v1/models", 404).await;
    let after = peer.call(&Method::GET, "configs", None).await;
    assert_eq!(
        (after.header("x-digest"), &after.json()["routes"]),
        ("", &Value::Null)
    );
}

#[tokio::test]
async fn a_document_with_a_mistake_is_not_taken_at_all() {
    let peer = peer();
    let route =
        json!({ "id": "one", "uri": "/v1/*", "upstream": { "nodes": { "127.0.0.1:1": 1 } } });
    assert_eq!(
        put(&peer, "d1", &json!({ "routes": [route] })).await.status,
        202
    );
    let headers = [("x-api-key", "twin-admin-key")];
    let bare = request(&Method::PUT, "/apisix/admin/configs", &headers, "{}");
    let bare = once(peer.admin, bare).await.unwrap();
    assert_eq!(
        (bare.status, bare.json()),
        (400, json!({ "error_msg": "missing digest header" }))
    );
    let wrong = put(
        &peer,
        "d2",
        &json!({ "routes": [route, { "id": "two", "uri": 7 }] }),
    )
    .await;
    let said = wrong.json()["error_msg"].as_str().unwrap().to_owned();
    assert!(
        wrong.status == 400 && said.starts_with("invalid routes at index 1, err: "),
        "{said}"
    );
    let twice = put(&peer, "d2", &json!({ "routes": [route, route] })).await;
    assert_eq!(
        twice.json()["error_msg"],
        "found duplicate id one in routes"
    );
    let older = put(
        &peer,
        "d2",
        &json!({ "routes": [], "routes_conf_version": 0 }),
    )
    .await;
    assert_eq!(older.status, 400);
    let kept = peer.call(&Method::GET, "configs", None).await;
    assert_eq!(
        (kept.header("x-digest"), &kept.json()["routes"]),
        ("d1", &json!([route]))
    );
    // The sections whose number stays are not read again.
    let same = json!({ "routes": [], "routes_conf_version": 1 });
    assert_eq!(put(&peer, "d3", &same).await.status, 202);
    let kept = peer.call(&Method::GET, "configs", None).await;
    assert_eq!(kept.json()["routes"], json!([route]));
}
