//! The admin API: statuses, bodies and times of every way to change something.

use crate::peer::{OURS, Peer};
use http::Method;
use serde_json::json;

fn route() -> serde_json::Value {
    json!({
        "uri": "/portcullis-suite/*",
        "labels": { "managed-by": OURS },
        "upstream": { "type": "roundrobin", "nodes": { "127.0.0.1:1": 1 } },
    })
}

fn named(name: &str) -> String {
    format!("routes/{OURS}-{name}")
}

#[tokio::test]
async fn what_is_made_answers_201_and_what_is_replaced_200_and_keeps_its_beginning() {
    let peer = Peer::start().await;
    let path = named("made");
    let made = peer.call(&Method::PUT, &path, Some(route())).await;
    assert_eq!(
        (made.status, made.header("x-api-version")),
        (201, "v3"),
        "{made:?}"
    );
    let made = made.json();
    assert_eq!(made["key"], format!("/apisix/{path}"));
    assert_eq!(made["value"]["id"], format!("{OURS}-made"));
    assert!(made["value"]["create_time"].is_u64() && made["value"]["update_time"].is_u64());
    // What was not said is filled in, so that what is read back is more than what was written.
    assert_eq!(
        (&made["value"]["status"], &made["value"]["priority"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(made["value"]["upstream"]["scheme"], "http");
    let first = peer.call(&Method::GET, &path, None).await.json();
    let replaced = peer.call(&Method::PUT, &path, Some(route())).await;
    assert_eq!(replaced.status, 200);
    assert_eq!(
        replaced.json()["value"]["create_time"],
        made["value"]["create_time"]
    );
    let second = peer.call(&Method::GET, &path, None).await.json();
    assert_eq!(first["createdIndex"], second["createdIndex"]);
    assert!(second["modifiedIndex"].as_u64() > first["modifiedIndex"].as_u64());
    peer.delete(&path).await;
    assert_eq!(peer.call(&Method::GET, &path, None).await.status, 404);
}

#[tokio::test]
async fn a_wrong_key_a_missing_key_and_a_wrong_body_are_told_apart() {
    let peer = Peer::start().await;
    let wrong = peer
        .call_as(Some("not-the-key"), &Method::GET, "routes", None)
        .await;
    assert_eq!(wrong.status, 401);
    let told = json!({ "error_msg": "failed to check token", "description": "wrong apikey" });
    assert_eq!(wrong.json(), told);
    let missing = peer.call_as(None, &Method::GET, "routes", None).await;
    assert_eq!(missing.status, 401);
    assert_eq!(missing.json()["description"], "missing apikey");
    let mut body = route();
    body["uri"] = json!(7);
    let refused = peer.call(&Method::PUT, &named("wrong"), Some(body)).await;
    let said = refused.json()["error_msg"].as_str().unwrap().to_owned();
    let expected = "invalid configuration: property \"uri\" validation failed: ";
    assert!(
        refused.status == 400 && said.starts_with(expected),
        "{said}"
    );
    let mut body = route();
    body["surplus"] = json!(1);
    let refused = peer.call(&Method::PUT, &named("wrong"), Some(body)).await;
    assert_eq!(refused.status, 400, "{refused:?}");
    let mut body = route();
    body["plugins"] = json!({ "no-such-plugin": {} });
    let refused = peer.call(&Method::PUT, &named("wrong"), Some(body)).await;
    assert_eq!(
        refused.json()["error_msg"],
        "unknown plugin [no-such-plugin]"
    );
    assert_eq!(
        peer.call(&Method::GET, &named("wrong"), None).await.status,
        404
    );
}

#[tokio::test]
async fn what_is_not_there_is_neither_deleted_nor_patched() {
    let peer = Peer::start().await;
    for method in [Method::DELETE, Method::PATCH] {
        let answer = peer
            .call(&method, &named("nowhere"), Some(json!({ "status": 0 })))
            .await;
        assert_eq!(answer.status, 404);
        assert_eq!(answer.json(), json!({ "message": "Key not found" }));
    }
}

#[tokio::test]
async fn a_patch_merges_null_deletes_and_a_part_is_replaced() {
    let peer = Peer::start().await;
    let path = named("patched");
    peer.put(&path, route()).await;
    let labels = json!({ "labels": { "a": "1", "b": "2" }, "desc": "said" });
    peer.call(&Method::PATCH, &path, Some(labels)).await;
    let change = json!({ "labels": { "a": null }, "status": 0 });
    let patched = peer.call(&Method::PATCH, &path, Some(change)).await;
    assert_eq!(patched.status, 200, "{patched:?}");
    let value = &patched.json()["value"];
    assert_eq!(value["labels"], json!({ "b": "2", "managed-by": OURS }));
    assert_eq!(
        (&value["status"], &value["desc"]),
        (&json!(0), &json!("said"))
    );
    let part = json!({ "managed-by": OURS });
    let replaced = peer
        .call(
            &Method::PATCH,
            &format!("{path}/labels"),
            Some(part.clone()),
        )
        .await;
    assert_eq!(replaced.json()["value"]["labels"], part);
    peer.delete(&path).await;
}

#[tokio::test]
async fn a_list_has_keys_values_and_indices_and_comes_in_pages_by_label() {
    let peer = Peer::start().await;
    for number in 10..22 {
        peer.put(&named(&format!("listed-{number}")), route()).await;
    }
    let list = |query: &str| format!("routes?label=managed-by:{OURS}{query}");
    let all = peer.call(&Method::GET, &list(""), None).await.json();
    assert_eq!(
        (all["total"].as_u64(), all["list"].as_array().unwrap().len()),
        (Some(12), 12)
    );
    let one = &all["list"][0];
    assert!(one["key"].as_str().unwrap().starts_with("/apisix/routes/"));
    assert!(one["createdIndex"].is_u64() && one["modifiedIndex"].is_u64());
    let page = peer
        .call(&Method::GET, &list("&page=2&page_size=10"), None)
        .await
        .json();
    assert_eq!(
        (
            page["total"].as_u64(),
            page["list"].as_array().unwrap().len()
        ),
        (Some(12), 2)
    );
    let other = peer
        .call(&Method::GET, "routes?label=managed-by:nobody", None)
        .await
        .json();
    assert_eq!(other["total"], 0);
    for number in 10..22 {
        peer.delete(&named(&format!("listed-{number}"))).await;
    }
}

#[tokio::test]
async fn one_plugin_stands_in_one_global_rule_alone() {
    let peer = Peer::start().await;
    let rule = json!({ "plugins": { "fault-injection": {
        "abort": { "http_status": 503, "vars": [[["uri", "==", "/portcullis-suite/nobody"]]] },
    } } });
    let (a, b) = (
        format!("global_rules/{OURS}-a"),
        format!("global_rules/{OURS}-b"),
    );
    peer.put(&a, rule.clone()).await;
    let second = peer.call(&Method::PUT, &b, Some(rule.clone())).await;
    let told = format!("plugin 'fault-injection' already exists in global rule with id '{OURS}-a'");
    assert_eq!(
        (second.status, second.json()),
        (400, json!({ "error_msg": told }))
    );
    // The same rule may say it anew.
    assert_eq!(peer.call(&Method::PUT, &a, Some(rule)).await.status, 200);
    peer.delete(&a).await;
}

#[tokio::test]
async fn what_is_referred_to_is_not_deleted_and_what_is_missing_not_referred_to() {
    let peer = Peer::start().await;
    let upstream = format!("upstreams/{OURS}-shared");
    let labels = json!({ "managed-by": OURS });
    let nodes = json!({ "nodes": { "127.0.0.1:1": 1 }, "type": "roundrobin", "labels": labels });
    peer.put(&upstream, nodes).await;
    let mut body = route();
    body.as_object_mut().unwrap().remove("upstream");
    body["upstream_id"] = json!(format!("{OURS}-shared"));
    peer.put(&named("refers"), body.clone()).await;
    let held = peer.call(&Method::DELETE, &upstream, None).await;
    let said = held.json()["error_msg"].as_str().unwrap().to_owned();
    assert!(
        held.status == 400 && said.contains("still using it now"),
        "{said}"
    );
    peer.delete(&named("refers")).await;
    let gone = peer.call(&Method::DELETE, &upstream, None).await;
    assert_eq!((gone.status, &gone.json()["deleted"]), (200, &json!("1")));
    let refused = peer.call(&Method::PUT, &named("refers"), Some(body)).await;
    assert_eq!(refused.status, 400, "{refused:?}");
}

#[tokio::test]
async fn a_consumer_has_credentials_below_it_and_both_go_together() {
    let peer = Peer::start().await;
    let name = "portcullis_suite_consumer";
    let labels = json!({ "managed-by": OURS });
    let body = json!({ "username": name, "labels": labels });
    let made = peer.put(&format!("consumers/{name}"), body).await;
    assert_eq!(made["value"]["username"], name);
    let path = format!("consumers/{name}/credentials/one");
    let key = json!({ "plugins": { "key-auth": { "key": "portcullis-suite-key-1" } } });
    let made = peer.put(&path, key).await;
    assert_eq!(made["key"], format!("/apisix/{path}"));
    let list = peer
        .call(&Method::GET, &format!("consumers/{name}/credentials"), None)
        .await;
    assert_eq!(list.json()["total"], 1);
    let marked = format!("consumers?label=managed-by:{OURS}");
    let consumers = peer.call(&Method::GET, &marked, None).await;
    assert_eq!(consumers.json()["total"], 1);
    peer.delete(&format!("consumers/{name}")).await;
    assert_eq!(peer.call(&Method::GET, &path, None).await.status, 404);
}

#[tokio::test]
async fn a_post_makes_the_id() {
    let peer = Peer::start().await;
    let made = peer.call(&Method::POST, "routes", Some(route())).await;
    assert_eq!(made.status, 201, "{made:?}");
    let key = made.json()["key"].as_str().unwrap().to_owned();
    peer.delete(key.trim_start_matches("/apisix/")).await;
}

#[tokio::test]
async fn the_viewer_reads_and_does_not_write() {
    let peer = Peer::twin(site_tests::apisix::Options::default());
    let viewer = Some("twin-viewer-key");
    assert_eq!(
        peer.call_as(viewer, &Method::GET, "routes", None)
            .await
            .status,
        200
    );
    let refused = peer
        .call_as(viewer, &Method::PUT, &named("viewed"), Some(route()))
        .await;
    assert_eq!(
        (refused.status, &refused.json()["error_msg"]),
        (401, &json!("failed to check token"))
    );
}
