//! The data plane: who is served by which route, and what a cut by a global rule does to whom.

use crate::peer::{OURS, Peer};
use futures_util::{SinkExt as _, StreamExt as _};
use http::Method;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use site_tests::talk::{Connection, once, request, until};
use site_tests::upstream::Upstream;

/// A path of the scripted upstream that answers 200 by itself.
const MODELS: &str = "/v1/models";

fn rule(vars: Value) -> Value {
    let mut abort = json!({
        "http_status": 503,
        "body": "{\"error\":\"cut\"}",
        "headers": { "content-type": "application/json", "x-suite-incident": "7", "retry-after": "30" },
    });
    if !vars.is_null() {
        abort["vars"] = vars;
    }
    json!({ "plugins": { "fault-injection": { "abort": abort } } })
}

fn cut() -> String {
    format!("global_rules/{OURS}-cut")
}

/// Rewrites any path to the one that the upstream answers.
fn to_models() -> Value {
    json!({ "plugins": { "proxy-rewrite": { "uri": MODELS } } })
}

fn chat(model: &str, tokens: u32) -> String {
    json!({ "model": model, "stream": true, "max_tokens": tokens, "messages": [] }).to_string()
}

#[tokio::test]
async fn what_no_route_covers_answers_404_cut_or_not() {
    let peer = Peer::start().await;
    let none = peer.get("/portcullis-suite/nothing").await;
    assert_eq!(
        (none.status, none.json()),
        (404, json!({ "error_msg": "404 Route Not Found" }))
    );
    peer.put(
        &cut(),
        rule(json!([[["uri", "~~", "^/portcullis-suite/"]]])),
    )
    .await;
    assert_eq!(peer.get("/portcullis-suite/nothing").await.status, 404);
    peer.delete(&cut()).await;
}

#[tokio::test]
async fn the_longest_path_wins_and_priority_orders_routes_of_one_path_alone() {
    let (peer, upstream) = (Peer::start().await, Upstream::start().unwrap());
    let refusing = |status: u16| json!({ "plugins": { "fault-injection": { "abort": { "http_status": status } } } });
    peer.route(
        "narrow",
        "/portcullis-suite/a/*",
        upstream.addr,
        refusing(210),
    )
    .await;
    let mut wide = refusing(211);
    wide["priority"] = json!(10_000);
    peer.route("wide", "/portcullis-suite/*", upstream.addr, wide)
        .await;
    peer.everywhere("/portcullis-suite/b", 211).await;
    peer.everywhere("/portcullis-suite/a/x", 210).await;
    let mut same = refusing(212);
    same["priority"] = json!(5);
    peer.route("same", "/portcullis-suite/a/*", upstream.addr, same)
        .await;
    peer.everywhere("/portcullis-suite/a/x", 212).await;
    for name in ["narrow", "wide", "same"] {
        peer.delete(&format!("routes/{OURS}-{name}")).await;
    }
}

#[tokio::test]
async fn a_global_rule_cuts_every_route_at_once_on_new_and_kept_connections_and_opens_again() {
    let (peer, upstream) = (Peer::start().await, Upstream::start().unwrap());
    peer.route("one", "/portcullis-suite/one/*", upstream.addr, to_models())
        .await;
    peer.route("two", "/portcullis-suite/two", upstream.addr, to_models())
        .await;
    let paths = ["/portcullis-suite/one/x", "/portcullis-suite/two"];
    for path in paths {
        peer.everywhere(path, 200).await;
    }
    peer.put(
        &cut(),
        rule(json!([[["uri", "~~", "^/portcullis-suite/"]]])),
    )
    .await;
    for path in paths {
        peer.everywhere(path, 503).await;
    }
    let refused = peer.get(paths[0]).await;
    assert_eq!(refused.json(), json!({ "error": "cut" }));
    let shown =
        ["content-type", "x-suite-incident", "retry-after"].map(|name| refused.header(name));
    assert_eq!(shown, ["application/json", "7", "30"]);
    peer.delete(&cut()).await;
    for path in paths {
        peer.everywhere(path, 200).await;
    }
    for name in ["one", "two"] {
        peer.delete(&format!("routes/{OURS}-{name}")).await;
    }
}

#[tokio::test]
async fn vars_narrow_a_cut_to_paths_to_routes_and_to_any_of_several_groups() {
    let (peer, upstream) = (Peer::start().await, Upstream::start().unwrap());
    for name in ["one", "two", "three"] {
        let uri = format!("/portcullis-suite/{name}");
        peer.route(name, &uri, upstream.addr, to_models()).await;
        peer.everywhere(&uri, 200).await;
    }
    let cases: [(Value, [u16; 3]); 4] = [
        (
            json!([[["uri", "~~", "^/portcullis-suite/o"]]]),
            [503, 200, 200],
        ),
        (
            json!([[["route_id", "==", format!("{OURS}-two")]]]),
            [200, 503, 200],
        ),
        // As it was tried with a real one: a group may stand without its outer brackets.
        (
            json!([["route_id", "==", format!("{OURS}-two")]]),
            [200, 503, 200],
        ),
        (
            json!([
                [["uri", "==", "/portcullis-suite/one"]],
                [["route_id", "==", format!("{OURS}-three")]]
            ]),
            [503, 200, 503],
        ),
    ];
    for (vars, seen) in cases {
        peer.put(&cut(), rule(vars)).await;
        for (name, status) in ["one", "two", "three"].into_iter().zip(seen) {
            peer.everywhere(&format!("/portcullis-suite/{name}"), status)
                .await;
        }
    }
    peer.delete(&cut()).await;
    for name in ["one", "two", "three"] {
        peer.delete(&format!("routes/{OURS}-{name}")).await;
    }
}

#[tokio::test]
async fn keys_are_checked_after_a_cut_and_limits_after_keys() {
    let (peer, upstream) = (Peer::start().await, Upstream::start().unwrap());
    let name = "portcullis_suite_keyed";
    peer.put(
        &format!("consumers/{name}"),
        json!({ "username": name, "labels": { "managed-by": OURS } }),
    )
    .await;
    let key = json!({ "plugins": { "key-auth": { "key": "Bearer portcullis-suite" } } });
    peer.put(&format!("consumers/{name}/credentials/one"), key)
        .await;
    let mut more = to_models();
    more["plugins"]["key-auth"] = json!({ "header": "authorization" });
    more["plugins"]["limit-count"] = json!({
        "count": 3, "time_window": 600, "key": "consumer_name", "rejected_code": 429,
    });
    let path = "/portcullis-suite/keyed";
    peer.route("keyed", path, upstream.addr, more).await;
    peer.everywhere(path, 401).await;
    let mine = [("authorization", "Bearer portcullis-suite")];
    let wrong = peer
        .get_with(path, &[("authorization", "Bearer other")])
        .await;
    assert_eq!(
        (wrong.status, wrong.json()["message"].is_string()),
        (401, true)
    );
    let mut seen = Vec::new();
    for _ in 0..5 {
        seen.push(peer.get_with(path, &mine).await.status);
    }
    assert_eq!(seen, [200, 200, 200, 429, 429]);
    peer.put(&cut(), rule(json!([[["uri", "==", path]]]))).await;
    // Without a key and with one the same: a cut costs no authentication.
    peer.everywhere(path, 503).await;
    assert_eq!(peer.get_with(path, &mine).await.status, 503);
    peer.delete(&cut()).await;
    peer.delete(&format!("routes/{OURS}-keyed")).await;
    peer.delete(&format!("consumers/{name}")).await;
}

#[tokio::test]
async fn a_stream_in_flight_outlives_a_cut_and_a_deleted_route() {
    let (peer, upstream) = (Peer::start().await, Upstream::start().unwrap());
    let more = json!({ "plugins": { "proxy-buffering": { "disable_proxy_buffering": true },
        "proxy-rewrite": { "regex_uri": ["^/portcullis-suite/stream/(.*)", "/v1/$1"] } } });
    peer.route("stream", "/portcullis-suite/stream/*", upstream.addr, more)
        .await;
    peer.everywhere("/portcullis-suite/stream/models", 200)
        .await;
    let path = "/portcullis-suite/stream/chat/completions";
    let mut connection = Connection::to(peer.data).await.unwrap();
    let json = [("content-type", "application/json")];
    let body = chat("paced", 60);
    let asked = connection
        .open(request(&Method::POST, path, &json, body))
        .await
        .unwrap();
    assert_eq!(asked.status(), 200);
    let mut stream = asked.into_body();
    assert!(stream.frame().await.unwrap().unwrap().is_data());
    peer.put(&cut(), rule(json!([[["uri", "==", path]]]))).await;
    peer.everywhere(path, 503).await;
    peer.delete(&format!("routes/{OURS}-stream")).await;
    let rest = stream.collect().await.unwrap().to_bytes();
    assert!(String::from_utf8_lossy(&rest).ends_with("data: [DONE]\n\n"));
    peer.delete(&cut()).await;
}

#[tokio::test]
async fn a_websocket_passes_where_the_route_lets_it_and_outlives_a_cut() {
    let (peer, upstream) = (Peer::start().await, Upstream::start().unwrap());
    let path = "/portcullis-suite/realtime";
    let mut more = json!({ "enable_websocket": true });
    more["plugins"] = json!({ "proxy-rewrite": { "uri": "/v1/realtime" } });
    peer.route("realtime", path, upstream.addr, more).await;
    until("a handshake", || async {
        tokio_tungstenite::client_async(
            format!("ws://apisix.test{path}?model=paced"),
            tokio::net::TcpStream::connect(peer.data).await.unwrap(),
        )
        .await
        .is_ok()
    })
    .await;
    let stream = tokio::net::TcpStream::connect(peer.data).await.unwrap();
    let url = format!("ws://apisix.test{path}?model=paced");
    let (mut socket, _) = tokio_tungstenite::client_async(url, stream).await.unwrap();
    assert!(socket.next().await.unwrap().unwrap().is_text());
    peer.put(&cut(), rule(json!([[["uri", "==", path]]]))).await;
    peer.everywhere(path, 503).await;
    let ask = json!({ "type": "response.create" }).to_string();
    socket.send(ask.into()).await.unwrap();
    assert!(socket.next().await.unwrap().unwrap().is_text());
    peer.delete(&cut()).await;
    peer.delete(&format!("routes/{OURS}-realtime")).await;
}

#[tokio::test]
async fn a_route_that_is_off_is_not_there() {
    let (peer, upstream) = (Peer::start().await, Upstream::start().unwrap());
    let path = "/portcullis-suite/off";
    peer.route("off", path, upstream.addr, to_models()).await;
    peer.everywhere(path, 200).await;
    let off = Some(json!({ "status": 0 }));
    peer.call(&Method::PATCH, &format!("routes/{OURS}-off"), off)
        .await;
    peer.everywhere(path, 404).await;
    peer.delete(&format!("routes/{OURS}-off")).await;
}

#[tokio::test]
async fn nodes_without_weight_get_nothing_and_one_that_is_gone_gives_way() {
    let (peer, a, b) = (
        Peer::start().await,
        Upstream::start().unwrap(),
        Upstream::start().unwrap(),
    );
    let nodes = |list: Value| {
        let mut more = to_models();
        more["upstream"] = json!({ "type": "roundrobin", "nodes": list });
        more
    };
    let (at, other) = (a.addr.to_string(), b.addr.to_string());
    let path = "/portcullis-suite/nodes";
    peer.route("nodes", path, a.addr, nodes(json!({ &at: 1, &other: 0 })))
        .await;
    peer.everywhere(path, 200).await;
    assert_eq!(b.log().len() + b.open(), 0, "a node of weight 0 was asked");
    peer.route(
        "nodes",
        path,
        a.addr,
        nodes(json!({ "127.0.0.1:1": 1, &other: 1 })),
    )
    .await;
    let one = || async { peer.get(path).await.status == 200 && !b.log().is_empty() };
    until("the other node", one).await;
    for _ in 0..4 {
        assert_eq!(peer.get(path).await.status, 200);
    }
    peer.route("nodes", path, a.addr, nodes(json!({ "127.0.0.1:1": 1 })))
        .await;
    peer.everywhere(path, 502).await;
    peer.delete(&format!("routes/{OURS}-nodes")).await;
    let gone = once(peer.data, request(&Method::GET, path, &[], "")).await;
    assert!(gone.is_some());
}
