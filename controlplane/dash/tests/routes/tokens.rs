//! Tokens for programs: shown once, bounded by their maker, ended at once.

use crate::house::{House, request, text};
use axum::body::Body;
use axum::http::{Method, Response, StatusCode, header};
use net_model::{DashRole, KeyHash};
use serde_json::{Value, json};

async fn send(
    house: &House,
    method: Method,
    path: &str,
    token: &str,
    body: &Value,
) -> Response<Body> {
    let request = request(method, path, "")
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(header::CONTENT_TYPE, "application/json");
    house
        .send(request.body(Body::from(body.to_string())).unwrap())
        .await
}

async fn read(answer: Response<Body>) -> Value {
    serde_json::from_str(&text(answer).await).unwrap()
}

/// An admin's session makes a token.
async fn made(house: &House, name: &str, role: &str) -> String {
    let session = house.session_of(DashRole::Admin).await;
    let body = json!({ "name": name, "role": role, "days": 7 });
    let request = request(Method::POST, "/api/v1/tokens", &session)
        .header(header::CONTENT_TYPE, "application/json");
    let answer = house
        .send(request.body(Body::from(body.to_string())).unwrap())
        .await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    let answer = read(answer).await;
    let admin = KeyHash::of(b"session-of-admin");
    house.store.delete_session(admin).await.unwrap();
    assert_eq!(answer.pointer("/record/role").unwrap(), role);
    let token = answer.get("token").unwrap();
    token.as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_token_lets_in_as_its_role_until_it_is_revoked_or_over() {
    let house = House::new().await;
    let token = made(&house, "backup", "viewer").await;
    assert!(token.starts_with("pct_"));
    let none = Value::Null;
    let state = || send(&house, Method::GET, "/api/v1/state", &token, &none);
    assert_eq!(state().await.status(), StatusCode::OK);
    let cut = json!({ "scope": "ALL" });
    let answer = send(&house, Method::POST, "/api/v1/cut", &token, &cut).await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    assert!(house.was_asked().is_empty());

    let admin = made(&house, "root", "admin").await;
    let listed = read(send(&house, Method::GET, "/api/v1/tokens", &admin, &none).await).await;
    assert_eq!(listed["items"][0]["name"], "backup");
    assert!(listed["items"][0]["last_used"].is_u64(), "{listed}");
    assert!(!listed.to_string().contains("pct_"));
    let path = "/api/v1/tokens/backup";
    for wanted in [StatusCode::NO_CONTENT, StatusCode::NOT_FOUND] {
        let answer = send(&house, Method::DELETE, path, &admin, &none).await;
        assert_eq!(answer.status(), wanted);
    }
    assert_eq!(state().await.status(), StatusCode::UNAUTHORIZED);
    house.pass(8 * 86_400_000);
    let late = send(&house, Method::GET, "/api/v1/state", &admin, &none).await;
    assert_eq!(late.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn none_has_more_than_its_maker_and_no_name_is_given_twice() {
    let house = House::new().await;
    let admin = made(&house, "root", "admin").await;
    let path = "/api/v1/tokens";
    for (body, status, code) in [
        (
            json!({"name": "a", "role": "admin", "days": 8}),
            403,
            "more_than_its_maker",
        ),
        (
            json!({"name": "root", "role": "viewer", "days": 1}),
            409,
            "taken",
        ),
        (json!({"name": "a b", "role": "viewer"}), 422, "invalid"),
        (json!({"name": "a", "role": "owner"}), 422, "invalid"),
        (
            json!({"name": "a", "role": "viewer", "days": 0}),
            422,
            "invalid",
        ),
        (
            json!({"name": "a", "role": "viewer", "days": 400}),
            422,
            "invalid",
        ),
        (
            json!({"name": "a", "role": "viewer", "hours": 4}),
            422,
            "invalid",
        ),
    ] {
        let answer = send(&house, Method::POST, path, &admin, &body).await;
        assert_eq!(answer.status(), status, "{body}");
        let kind = answer.headers()[header::CONTENT_TYPE].clone();
        assert_eq!(kind, "application/problem+json");
        assert_eq!(read(answer).await["code"], code, "{body}");
    }
    let operator = made(&house, "night", "operator").await;
    let body = json!({ "name": "b", "role": "viewer", "days": 1 });
    let answer = send(&house, Method::POST, path, &operator, &body).await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn what_is_no_token_of_ours_lets_nobody_in() {
    let house = House::new().await;
    let token = made(&house, "root", "admin").await;
    let none = Value::Null;
    let long = format!("pct_{}", "x".repeat(500));
    for wrong in [
        "",
        "pct_",
        "pck_agent",
        "session-of-admin",
        &token[..20],
        &long,
    ] {
        let answer = send(&house, Method::GET, "/api/v1/state", wrong, &none).await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{wrong}");
    }
    // A token is no cookie, and a session no token.
    let answer = house
        .get("/api/v1/state", &format!("portcullis_session={token}"))
        .await;
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_page_shows_a_new_token_once_and_revokes_it() {
    let house = House::new().await;
    let session = house.session_of(DashRole::Admin).await;
    let page = text(
        house
            .post("/tokens", &session, "name=grafana&role=viewer&days=30")
            .await,
    )
    .await;
    assert!(page.contains("pct_"), "{page}");
    let again = text(house.get("/tokens", &session).await).await;
    assert!(again.contains("grafana") && !again.contains("pct_"));
    let wrong = house
        .post("/tokens", &session, "name=x&role=viewer&days=many")
        .await;
    assert_eq!(wrong.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let done = house.post("/tokens/grafana/revoke", &session, "").await;
    assert_eq!(done.status(), StatusCode::SEE_OTHER);
    let page = text(house.get("/tokens", &session).await).await;
    assert!(page.contains("revoked"), "{page}");
}
