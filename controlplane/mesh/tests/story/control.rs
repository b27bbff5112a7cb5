//! The coordination server in each of its forms.

use crate::fake::{Asked, Says, Server};
use mesh::{Control, ControlError, ControlKind, ControlSettings};
use net_model::Secret;
use serde_json::{Value, json};

pub(crate) const KEY: &str = "hskey-api-5e7";

pub(crate) fn control(server: &Server, kind: ControlKind) -> Control {
    let settings = ControlSettings {
        kind,
        url: server.url().parse().unwrap(),
        key: Secret::new(KEY).unwrap(),
    };
    Control::new(settings).unwrap()
}

fn body(asked: &Asked) -> Value {
    serde_json::from_str(&asked.body).unwrap()
}

#[tokio::test]
async fn every_act_goes_to_the_place_of_its_form() {
    let v1 = [
        "GET /api/v1/node",
        "POST /api/v1/node/7/expire",
        "POST /api/v1/node/7/approve_routes",
        "DELETE /api/v1/node/7",
    ];
    let v2 = [
        "GET /api/v2/tailnet/-/devices?fields=all",
        "POST /api/v1/node/7/expire",
        "POST /api/v2/device/7/routes",
        "DELETE /api/v2/device/7",
    ];
    let saas = [
        "GET /api/v2/tailnet/-/devices?fields=all",
        "POST /api/v2/device/7/expire",
        "POST /api/v2/device/7/routes",
        "DELETE /api/v2/device/7",
    ];
    for (kind, lines) in ControlKind::ALL.into_iter().zip([v1, v2, saas]) {
        let server = Server::control().await;
        for line in lines {
            server.book.on(line, Says::json("{}"));
        }
        let control = control(&server, kind);
        assert_eq!(control.nodes().await.unwrap(), (Vec::new(), 0));
        control.expire("7").await.unwrap();
        control.clear_routes("7").await.unwrap();
        control.delete("7").await.unwrap();
        assert_eq!(server.book.lines(), lines);
        for asked in server.book.asked() {
            assert!(
                asked
                    .head
                    .to_ascii_lowercase()
                    .contains(&format!("authorization: bearer {KEY}"))
            );
        }
    }
}

#[tokio::test]
async fn refusals_are_told_apart_and_hold_no_key() {
    let server = Server::control().await;
    let control = control(&server, ControlKind::HeadscaleV1);
    let expire = "POST /api/v1/node/7/expire";
    assert!(matches!(
        control.expire("7").await,
        Err(ControlError::Nothing)
    ));
    server.book.on(expire, Says::status(401, "Unauthorized"));
    assert!(matches!(
        control.expire("7").await,
        Err(ControlError::Denied(401))
    ));
    server.book.on(
        expire,
        Says::status(
            500,
            r#"{"code":2,"message":"database is locked","details":[]}"#,
        ),
    );
    let why = control.expire("7").await.unwrap_err();
    assert!(why.to_string().contains("database is locked"), "{why}");
    server.book.on(expire, Says::Half);
    let why = control.expire("7").await.unwrap_err();
    assert!(matches!(why, ControlError::Unreachable(_)));
    let shown = format!("{why:?} {control:?}");
    assert!(!shown.contains(KEY), "{shown}");
}

#[tokio::test]
async fn an_id_of_a_node_cannot_become_another_path() {
    let server = Server::control().await;
    let control = control(&server, ControlKind::HeadscaleV1);
    for id in ["", "7/../../policy", "7?force=1", "7 8"] {
        assert!(
            matches!(
                control.delete(id).await,
                Err(ControlError::NotUnderstood(_))
            ),
            "{id}"
        );
    }
    assert_eq!(server.book.lines(), Vec::<String>::new());
}

#[tokio::test]
async fn keys_by_which_agents_join_are_ended_in_both_shapes() {
    let tags = ["tag:agent".to_owned()];
    let server = Server::control().await;
    server.book.on("GET /api/v1/preauthkey", Says::json(r#"{"preAuthKeys":[{"id":"1","key":"k1","user":{"id":"2"},"aclTags":["tag:agent"]},{"id":"2","key":"k2","aclTags":["tag:tv"]}]}"#));
    server
        .book
        .on("POST /api/v1/preauthkey/expire", Says::json("{}"));
    assert_eq!(
        control(&server, ControlKind::HeadscaleV1)
            .end_join_keys(&tags)
            .await
            .unwrap(),
        1
    );
    let asked = server.book.asked();
    assert_eq!(
        body(&asked[1]),
        json!({ "id": "1", "user": "2", "key": "k1" })
    );

    let server = Server::control().await;
    let keys = "/api/v2/tailnet/-/keys";
    server.book.on(
        &format!("GET {keys}"),
        Says::json(r#"{"keys":[{"id":"kA"},{"id":"kB"}]}"#),
    );
    let agent = r#"{"id":"kA","capabilities":{"devices":{"create":{"tags":["tag:agent"]}}}}"#;
    server.book.on(&format!("GET {keys}/kA"), Says::json(agent));
    server
        .book
        .on(&format!("GET {keys}/kB"), Says::json(r#"{"id":"kB"}"#));
    server
        .book
        .on(&format!("DELETE {keys}/kA"), Says::json("{}"));
    assert_eq!(
        control(&server, ControlKind::Tailscale)
            .end_join_keys(&tags)
            .await
            .unwrap(),
        1
    );
    assert_eq!(server.book.count(&format!("DELETE {keys}/kA")), 1);
}

#[tokio::test]
async fn a_policy_is_replaced_only_if_it_is_still_the_one_that_was_read() {
    let server = Server::control().await;
    let acl = "/api/v2/tailnet/-/acl";
    let text = "// who may what\n{\"acls\": []}";
    server.book.on(
        &format!("GET {acl}"),
        Says::Whole(200, "etag: \"v7\"\r\n", text.into()),
    );
    let control = control(&server, ControlKind::Tailscale);
    let policy = control.policy().await.unwrap();
    assert_eq!(
        (policy.text.as_str(), policy.version.as_deref()),
        (text, Some("\"v7\""))
    );
    server
        .book
        .on(&format!("POST {acl}"), Says::status(412, "{}"));
    let put = control.set_policy("{}", policy.version.as_deref()).await;
    assert!(matches!(put, Err(ControlError::Changed)));
    let asked = server.book.asked().pop().unwrap();
    assert!(
        asked.head.contains("if-match: \"v7\"") && asked.head.contains("application/hujson"),
        "{asked:?}"
    );
    assert_eq!(asked.body, "{}");
}

#[tokio::test]
async fn a_policy_that_fails_its_own_tests_is_refused_with_the_reason() {
    let server = Server::control().await;
    let failed = r#"{"message":"test(s) failed","data":[]}"#;
    server
        .book
        .on("POST /api/v2/tailnet/-/acl/validate", Says::json(failed));
    let why = control(&server, ControlKind::Tailscale)
        .check_policy("{}")
        .await
        .unwrap_err();
    assert!(why.to_string().contains("test(s) failed"));
    server.book.on(
        "POST /api/v1/policy/check",
        Says::status(400, r#"{"title":"Bad Request","detail":"unknown group"}"#),
    );
    let why = control(&server, ControlKind::HeadscaleV1)
        .check_policy("{}")
        .await
        .unwrap_err();
    assert!(why.to_string().contains("unknown group"));
}
