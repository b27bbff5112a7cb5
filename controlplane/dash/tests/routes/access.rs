//! Who may use what: every route has a row here, and is tried without a session.

use crate::house::{House, cookie, request, text};
use axum::body::Body;
use axum::http::{Method, Response, StatusCode, header};
use dash::{Access, Who};
use kill_wire::LeverRequest;
use net_model::{DashRole, KeyHash};

const TABLE: &[(&str, &str, Who)] = &[
    ("GET", "/", Who::Viewer),
    ("GET", "/events", Who::Viewer),
    ("GET", "/stop", Who::Viewer),
    ("GET", "/stop/offline", Who::Anyone),
    ("GET", "/stop/worker.js", Who::Anyone),
    ("GET", "/stop/manifest.webmanifest", Who::Anyone),
    ("POST", "/cut", Who::Operator),
    ("POST", "/restore", Who::Admin),
    ("POST", "/drill", Who::Operator),
    ("POST", "/check-in", Who::Operator),
    ("GET", "/sign-in", Who::Anyone),
    ("POST", "/sign-in", Who::Anyone),
    ("POST", "/sign-out", Who::Viewer),
    ("GET", "/sign-in/oidc", Who::Anyone),
    ("GET", "/sign-in/oidc/back", Who::Anyone),
    ("POST", "/sign-in/oidc/logout", Who::Anyone),
    ("GET", "/sessions", Who::Viewer),
    ("POST", "/sessions/{id}/end", Who::Viewer),
    ("GET", "/api/v1/state", Who::Viewer),
    ("GET", "/api/v1/incidents", Who::Viewer),
    ("GET", "/api/v1/usage", Who::Viewer),
    ("POST", "/api/v1/usage/{source}", Who::Sender),
    ("GET", "/incidents", Who::Viewer),
    ("GET", "/incidents/{number}", Who::Viewer),
    ("GET", "/targets", Who::Viewer),
    ("GET", "/spend", Who::Viewer),
    ("GET", "/spend.csv", Who::Viewer),
    ("GET", "/journal", Who::Viewer),
    ("GET", "/journal/export", Who::Viewer),
    ("POST", "/journal/verify", Who::Viewer),
    ("GET", "/hosts", Who::Viewer),
    ("GET", "/hosts/{name}", Who::Viewer),
    ("GET", "/mesh", Who::Viewer),
    ("GET", "/alerts", Who::Viewer),
    ("GET", "/jobs", Who::Viewer),
    ("GET", "/api/v1/hosts", Who::Viewer),
    ("GET", "/api/v1/hosts/{name}", Who::Viewer),
    ("GET", "/api/v1/zones", Who::Viewer),
    ("GET", "/api/v1/alerts", Who::Viewer),
    ("GET", "/api/v1/mesh", Who::Viewer),
    ("GET", "/api/v1/jobs", Who::Viewer),
    ("POST", "/api/v1/config/reload", Who::Admin),
    ("POST", "/api/v1/config/check", Who::Admin),
    ("GET", "/assets/{hash}/{name}", Who::Anyone),
    ("GET", "/healthz", Who::Anyone),
    ("GET", "/metrics", Who::Monitor),
    ("GET", "/api/v1/openapi.json", Who::Anyone),
    ("GET", "/api/v1/events", Who::Viewer),
    ("POST", "/api/v1/cut", Who::Operator),
    ("POST", "/api/v1/restore", Who::Admin),
    ("POST", "/api/v1/drill", Who::Operator),
    ("POST", "/api/v1/check-in", Who::Operator),
    ("GET", "/explain", Who::Viewer),
    ("GET", "/explain/{id}", Who::Viewer),
    ("GET", "/api/v1/explain", Who::Viewer),
    ("GET", "/api/v1/explain/{id}", Who::Viewer),
    ("GET", "/tokens", Who::Viewer),
    ("POST", "/tokens", Who::Admin),
    ("POST", "/tokens/{name}/revoke", Who::Admin),
    ("GET", "/api/v1/tokens", Who::Viewer),
    ("POST", "/api/v1/tokens", Who::Admin),
    ("DELETE", "/api/v1/tokens/{name}", Who::Admin),
];

/// What the house keeps.
const KEPT: [(&str, &str, Who); 26] = [
    ("GET", "/consumers", Who::Viewer),
    ("POST", "/consumers", Who::Admin),
    ("GET", "/consumers/{name}", Who::Viewer),
    ("POST", "/consumers/{name}", Who::Admin),
    ("GET", "/api/v1/consumers", Who::Viewer),
    ("POST", "/api/v1/consumers", Who::Admin),
    ("GET", "/api/v1/consumers/{name}", Who::Viewer),
    ("PUT", "/api/v1/consumers/{name}", Who::Admin),
    ("DELETE", "/api/v1/consumers/{name}", Who::Admin),
    ("POST", "/api/v1/consumers/{name}/rotate", Who::Admin),
    ("GET", "/people", Who::Viewer),
    ("POST", "/people", Who::Admin),
    ("POST", "/people/finish", Who::Admin),
    ("POST", "/people/{name}/cards", Who::Admin),
    ("POST", "/people/{name}/revoke", Who::Admin),
    ("GET", "/api/v1/people", Who::Viewer),
    ("GET", "/channels", Who::Viewer),
    ("GET", "/api/v1/channels", Who::Viewer),
    ("GET", "/settings", Who::Viewer),
    ("POST", "/settings/check", Who::Admin),
    ("POST", "/settings/apply", Who::Admin),
    ("GET", "/api/v1/settings", Who::Viewer),
    ("PUT", "/api/v1/settings", Who::Admin),
    ("POST", "/api/v1/settings/check", Who::Admin),
    ("POST", "/jobs/run", Who::Operator),
    ("POST", "/api/v1/jobs/run", Who::Operator),
];

/// What looks closer.
const LOOKED: [(&str, &str, Who); 10] = [
    ("POST", "/targets/{name}/test", Who::Operator),
    ("POST", "/api/v1/targets/{name}/test", Who::Operator),
    ("POST", "/channels/{name}/test", Who::Operator),
    ("POST", "/api/v1/channels/{name}/test", Who::Operator),
    ("GET", "/journal/changes", Who::Viewer),
    ("GET", "/journal/changes/export", Who::Viewer),
    ("POST", "/journal/changes/verify", Who::Viewer),
    ("GET", "/api/v1/changes", Who::Viewer),
    ("POST", "/api/v1/changes/verify", Who::Viewer),
    ("POST", "/csp-reports", Who::Anyone),
];

/// One's own account, and passkeys.
const OWN: [(&str, &str, Who); 9] = [
    ("POST", "/sign-in/passkey/begin", Who::Anyone),
    ("POST", "/sign-in/passkey", Who::Anyone),
    ("GET", "/account", Who::Viewer),
    ("POST", "/account/passkeys/begin", Who::Viewer),
    ("POST", "/account/passkeys", Who::Viewer),
    ("POST", "/account/passkeys/remove", Who::Viewer),
    ("GET", "/api/v1/account", Who::Viewer),
    ("GET", "/api/v1/passkeys", Who::Viewer),
    ("DELETE", "/api/v1/passkeys/{id}", Who::Viewer),
];

/// What pages show and do, for programs.
const TWINS: [(&str, &str, Who); 11] = [
    ("GET", "/api/v1/incidents/{number}", Who::Viewer),
    ("GET", "/api/v1/journal", Who::Viewer),
    ("POST", "/api/v1/journal/verify", Who::Viewer),
    ("GET", "/api/v1/targets", Who::Viewer),
    ("GET", "/api/v1/spend", Who::Viewer),
    ("GET", "/api/v1/sessions", Who::Viewer),
    ("DELETE", "/api/v1/sessions/{id}", Who::Viewer),
    ("POST", "/api/v1/people", Who::Admin),
    ("POST", "/api/v1/people/finish", Who::Admin),
    ("POST", "/api/v1/people/{name}/cards", Who::Admin),
    ("POST", "/api/v1/people/{name}/revoke", Who::Admin),
];

/// Who may join and report.
const GUESTS: [(&str, &str, Who); 4] = [
    ("POST", "/api/v1/hosts", Who::Admin),
    ("POST", "/api/v1/hosts/{name}/reinvite", Who::Admin),
    ("POST", "/api/v1/hosts/{name}/revoke", Who::Admin),
    ("POST", "/api/v1/hosts/{name}/rename", Who::Admin),
];

fn table() -> impl Iterator<Item = (&'static str, &'static str, Who)> {
    let all = TABLE.iter().copied().chain(KEPT);
    all.chain(LOOKED).chain(OWN).chain(TWINS).chain(GUESTS)
}

#[test]
fn every_route_has_a_row() {
    let served: Vec<(&str, &str, Who)> = dash::access()
        .into_iter()
        .map(
            |Access {
                 method, path, who, ..
             }| (method, path, who),
        )
        .collect();
    assert_eq!(served, table().collect::<Vec<_>>());
}

/// A path that leads somewhere.
fn real(path: &str) -> String {
    path.replace("{hash}/{name}", "0/portcullis.css")
}

/// Sends what the row stands for.
async fn try_row(house: &House, method: &str, path: &str, cookie: &str) -> Response<Body> {
    let path = real(path);
    if method == "GET" {
        return house.get(&path, cookie).await;
    }
    if method != "POST" {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let request = request(method, &path, cookie).header("sec-fetch-site", "same-origin");
        return house.send(request.body(Body::empty()).unwrap()).await;
    }
    let form = "scope=ALL&confirm=ALL&code=12345678&token=x";
    house.post(&path, cookie, form).await
}

#[tokio::test]
async fn every_row_holds_without_a_session_and_with_a_false_one() {
    let house = House::new().await;
    for (method, path, who) in table() {
        for cookie in ["", "portcullis_session=guessed"] {
            let answer = try_row(&house, method, path, cookie).await;
            let status = answer.status();
            let page = method == "GET" && !path.starts_with("/api/") && path != "/events";
            match who {
                Who::Viewer | Who::Operator | Who::Admin if page => {
                    assert_eq!(status, StatusCode::SEE_OTHER, "{path}");
                    let back = if path == "/stop" { "?to=stop" } else { "" };
                    assert_eq!(
                        answer.headers()[header::LOCATION],
                        format!("/sign-in{back}")
                    );
                }
                Who::Viewer | Who::Operator | Who::Admin | Who::Sender => {
                    assert_eq!(status, StatusCode::UNAUTHORIZED, "{method} {path}")
                }
                // A house without a provider.
                Who::Anyone if path.starts_with("/sign-in/oidc/l") => {
                    assert!(status.is_client_error(), "{path} {status}");
                }
                Who::Anyone if path.starts_with("/sign-in/oidc") => {
                    assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
                }
                Who::Anyone if path.starts_with("/sign-in/passkey") => {
                    assert_eq!(status, StatusCode::NOT_FOUND, "a house without passkeys");
                }
                Who::Anyone if path == "/sign-in" && method == "POST" => {
                    assert_eq!(status, StatusCode::FORBIDDEN, "the link is wrong");
                }
                Who::Anyone if path == "/csp-reports" => {
                    assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "no report");
                }
                Who::Anyone | Who::Monitor => assert_eq!(status, StatusCode::OK, "{method} {path}"),
            }
        }
    }
    assert!(
        house.was_asked().is_empty(),
        "the kill switch was asked nothing"
    );
}

#[tokio::test]
async fn every_row_lets_in_exactly_the_roles_it_names() {
    for role in DashRole::ALL {
        let mut house = House::new().await;
        // Nobody reads the configuration, so nothing waits for it.
        house.config.close();
        for (method, path, who) in table() {
            let least = match who {
                Who::Viewer => DashRole::Viewer,
                Who::Operator => DashRole::Operator,
                Who::Admin => DashRole::Admin,
                // Tried without any role above, and a role changes nothing here.
                Who::Anyone | Who::Monitor | Who::Sender => continue,
            };
            let session = house.session_of(role).await;
            let answer = try_row(&house, method, path, &session).await;
            let status = answer.status();
            let told = format!("{role} {method} {path}: {status}");
            if role >= least {
                let refused = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN];
                assert!(!refused.contains(&status), "{told}");
                assert!(method != "GET" || !status.is_redirection(), "{told}");
            } else {
                assert_eq!(status, StatusCode::FORBIDDEN, "{told}");
                let text = text(answer).await;
                assert!(text.contains("You may look"), "{told} {text}");
            }
            let hash = KeyHash::of(format!("session-of-{role}").as_bytes());
            house.store.delete_session(hash).await.unwrap();
        }
        let asked = house.was_asked();
        let restores = |it: &LeverRequest| matches!(it, LeverRequest::Restore { .. });
        assert_eq!(asked.iter().any(restores), role == DashRole::Admin);
        let cuts = |it: &LeverRequest| matches!(it, LeverRequest::Cut { .. });
        assert_eq!(asked.iter().any(cuts), role >= DashRole::Operator);
    }
}

#[tokio::test]
async fn a_method_that_no_row_names_is_not_served() {
    let house = House::new().await;
    let session = house.session_of(DashRole::Admin).await;
    for (_, path, _) in table() {
        for method in [Method::PUT, Method::DELETE, Method::PATCH, Method::TRACE] {
            let served = table().any(|(other, at, _)| at == path && other == method.as_str());
            if served {
                continue;
            }
            let request = request(method.clone(), &real(path), &session)
                .header("sec-fetch-site", "same-origin");
            let answer = house.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(
                answer.status(),
                StatusCode::METHOD_NOT_ALLOWED,
                "{method} {path}"
            );
        }
    }
}

#[tokio::test]
async fn a_form_of_another_site_does_nothing() {
    let house = House::new().await;
    let session = house.session().await;
    let foreign = [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
    ];
    for path in [
        "/cut",
        "/restore",
        "/drill",
        "/check-in",
        "/sign-out",
        "/sign-in",
    ] {
        for (name, value) in foreign {
            let request = request(Method::POST, path, &session)
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .header(name, value);
            let form = Body::from("scope=ALL&confirm=ALL&code=12345678&token=x");
            let answer = house.send(request.body(form).unwrap()).await;
            assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{path} {name}");
        }
    }
    assert!(house.was_asked().is_empty());
    assert_eq!(house.get("/", &session).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_rebound_host_name_sees_nothing() {
    let house = House::new().await;
    let session = house.session().await;
    for (host, wanted) in [
        ("evil.example:7410", StatusCode::MISDIRECTED_REQUEST),
        ("", StatusCode::MISDIRECTED_REQUEST),
        ("portcullis.lan:7410", StatusCode::OK),
        ("localhost:7410", StatusCode::OK),
    ] {
        let mut request = request(Method::GET, "/", &session);
        let headers = request.headers_mut().unwrap();
        headers.insert(header::HOST, host.parse().unwrap());
        let answer = house.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status(), wanted, "{host}");
    }
}

#[tokio::test]
async fn every_answer_binds_the_browser() {
    let house = House::new().await;
    let session = house.session().await;
    for path in ["/", "/sign-in", "/healthz", "/nowhere", "/api/v1/state"] {
        let answer = house.get(path, &session).await;
        let headers = answer.headers();
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.contains("default-src 'self'") && !policy.contains("unsafe"));
        assert_eq!(headers[header::X_FRAME_OPTIONS], "DENY", "{path}");
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert_eq!(headers[header::REFERRER_POLICY], "same-origin");
        assert_eq!(headers[header::CACHE_CONTROL], "no-store");
    }
    let page = text(house.get("/", &session).await).await;
    assert!(!page.contains(" style=") && !page.contains(" onclick="));
    assert!(!page.contains("<script>"), "no inline script");
}

#[tokio::test]
async fn api_and_figures_answer_a_session() {
    let house = House::new().await;
    let session = house.session().await;
    let state = text(house.get("/api/v1/state", &session).await).await;
    let state: serde_json::Value = serde_json::from_str(&state).unwrap();
    assert_eq!(state["killswitch"]["seq"], 4);
    assert_eq!(state["gateway"]["open"], 1);
    assert_eq!(state["problems"], serde_json::json!([]));

    let usage = text(house.get("/api/v1/usage", &session).await).await;
    let usage: serde_json::Value = serde_json::from_str(&usage).unwrap();
    assert_eq!(usage["tokens_per_minute"].as_array().unwrap().len(), 60);

    let incidents = kill_wire::LeverReply::Incidents {
        incidents: vec![crate::house::incident()],
    };
    house.answer_with(incidents);
    let incidents = text(house.get("/api/v1/incidents?limit=9999", &session).await).await;
    let incidents: serde_json::Value = serde_json::from_str(&incidents).unwrap();
    assert_eq!(incidents["items"][0]["why"], "runaway");
    let bounded = kill_wire::LeverRequest::Incidents { limit: 500 };
    assert_eq!(house.was_asked(), [bounded]);

    let metrics = text(house.get("/metrics", "").await).await;
    assert!(
        metrics.contains("\nportcullis_open_exchanges 1\n"),
        "{metrics}"
    );
    let refused = text(house.get("/api/v1/state", "").await).await;
    assert!(refused.contains("\"not_signed_in\""), "{refused}");
}

#[tokio::test]
async fn sign_out_ends_the_session_everywhere() {
    let house = House::new().await;
    let session = house.session().await;
    let answer = house.post("/sign-out", &session, "").await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    assert_eq!(cookie(&answer), "portcullis_session=");
    let again = house.get("/api/v1/state", &session).await;
    assert_eq!(again.status(), StatusCode::UNAUTHORIZED);
}
