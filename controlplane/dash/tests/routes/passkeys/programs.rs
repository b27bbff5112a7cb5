//! The account and its passkeys for programs: the same rights as on the page, and nothing that signs anybody in.

use super::{AT, held, house, json_of, lets_in, person, signed_in};
use crate::house::{House, request, text};
use axum::body::Body;
use axum::http::{Method, Response, StatusCode};
use net_model::{DashRole, KeyHash};
use serde_json::{Value, json};
use store::TokenRecord;

async fn get(house: &House, path: &str, session: &str) -> Value {
    let answer = house.get(path, session).await;
    assert_eq!(answer.status(), StatusCode::OK, "{path}");
    json_of(answer).await
}

async fn delete(house: &House, id: &str, session: &str) -> Response<Body> {
    let path = format!("/api/v1/passkeys/{id}");
    let request = request(Method::DELETE, &path, session).header("sec-fetch-site", "same-origin");
    house.send(request.body(Body::empty()).unwrap()).await
}

/// Whose each is, and its id.
async fn listed(house: &House, session: &str) -> Vec<(String, String)> {
    let all = get(house, "/api/v1/passkeys", session).await;
    let items = all.get("items").and_then(Value::as_array).unwrap();
    let words = |it: &Value, name| it.get(name).and_then(Value::as_str).unwrap().to_owned();
    items
        .iter()
        .map(|it| (words(it, "who"), words(it, "id")))
        .collect()
}

#[tokio::test]
async fn an_account_says_who_asks_with_what_and_no_secret() {
    let house = house().await;
    let mut ada = held(&house, 1, "ada", DashRole::Operator).await;
    held(&house, 2, "eve", DashRole::Viewer).await;
    let session = signed_in(&house, &mut ada).await;
    let said = get(&house, "/api/v1/account", &session).await;
    assert_eq!(
        (&said["who"], &said["role"], &said["how"]),
        (&json!("ada"), &json!("operator"), &json!("passkey"))
    );
    assert_eq!(said["adding"], json!({ "origin": AT, "not_now": null }));
    // By the passkey, and by the account that added it.
    assert_eq!(said["sessions"].as_array().unwrap().len(), 2);
    let [phone] = said["passkeys"].as_array().unwrap().as_slice() else {
        panic!("one's own alone: {said}");
    };
    let members: Vec<&String> = phone.as_object().unwrap().keys().collect();
    let shown = [
        "counts",
        "created",
        "id",
        "last_used",
        "name",
        "own",
        "role",
        "who",
    ];
    assert_eq!(members, shown);
    assert_eq!(
        (&phone["name"], &phone["own"]),
        (&json!("phone"), &json!(true))
    );
    assert_eq!(phone["last_used"], house.now().millis());

    house.pass(11 * 60_000);
    let said = get(&house, "/api/v1/account", &session).await;
    let not_now = said["adding"]["not_now"].as_str().unwrap();
    assert!(not_now.contains("ten minutes"), "{not_now}");
}

#[tokio::test]
async fn one_sees_and_removes_one_s_own_and_an_admin_everybody_s() {
    let house = house().await;
    let mut ada = held(&house, 1, "ada", DashRole::Viewer).await;
    held(&house, 2, "eve", DashRole::Viewer).await;
    let session = signed_in(&house, &mut ada).await;
    let admin = house.session().await;
    let all = listed(&house, &admin).await;
    let who: Vec<&str> = all.iter().map(|(who, _)| who.as_str()).collect();
    assert_eq!(who.len(), 2);
    let of = |name: &str| all.iter().find(|(who, _)| who == name).unwrap().1.clone();
    assert_eq!(
        listed(&house, &session).await,
        [("ada".to_owned(), of("ada"))]
    );

    for id in [of("eve"), "nothing".to_owned(), "%00".to_owned()] {
        let answer = delete(&house, &id, &session).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{id}");
        assert_eq!(json_of(answer).await["code"], "no_such_passkey");
    }
    let answer = delete(&house, &of("ada"), &session).await;
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    assert!(!lets_in(&house, &session).await, "it was begun with it");
    let answer = delete(&house, &of("eve"), &admin).await;
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    assert_eq!(house.store.passkeys(9).await.unwrap(), []);
    let changes = house.changes().await;
    for change in ["passkey.remove phone ada\n", "passkey.remove phone eve\n"] {
        assert!(changes.contains(change), "{changes}");
    }
}

#[tokio::test]
async fn a_token_has_neither_sessions_nor_passkeys_and_an_admin_s_removes_others() {
    let house = house().await;
    held(&house, 1, "ada", DashRole::Viewer).await;
    let now = house.now();
    for (name, role) in [("looks", DashRole::Viewer), ("keeps", DashRole::Admin)] {
        let record = TokenRecord {
            name: name.parse().unwrap(),
            role,
            created: now,
            created_by: "dashboard".to_owned(),
            expires: now.plus_millis(3_600_000),
            revoked: None,
            last_used: None,
        };
        let hash = KeyHash::of(format!("pct_{name}").as_bytes());
        assert!(house.store.create_token(hash, &record).await.unwrap());
    }
    let ask = async |method: Method, path: &str, name: &str| {
        let request = request(method, path, "");
        let request = request.header("authorization", format!("Bearer pct_{name}"));
        house.send(request.body(Body::empty()).unwrap()).await
    };
    let said = json_of(ask(Method::GET, "/api/v1/account", "looks").await).await;
    assert_eq!(
        (&said["role"], &said["how"]),
        (&json!("viewer"), &json!("token"))
    );
    assert_eq!(
        (&said["sessions"], &said["passkeys"]),
        (&json!([]), &json!([]))
    );
    assert!(
        said["adding"]["not_now"]
            .as_str()
            .unwrap()
            .contains("a program has its token")
    );
    let none = text(ask(Method::GET, "/api/v1/passkeys", "looks").await).await;
    assert_eq!(none, r#"{"items":[],"next":null}"#);

    let all = json_of(ask(Method::GET, "/api/v1/passkeys", "keeps").await).await;
    assert_eq!(all["items"][0]["own"], false);
    let path = format!(
        "/api/v1/passkeys/{}",
        all["items"][0]["id"].as_str().unwrap()
    );
    let refused = ask(Method::DELETE, &path, "looks").await;
    assert_eq!(refused.status(), StatusCode::NOT_FOUND);
    let answer = ask(Method::DELETE, &path, "keeps").await;
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    assert_eq!(house.store.passkeys(9).await.unwrap(), []);
}

#[tokio::test]
async fn without_the_database_a_program_is_told_so() {
    let house = house().await;
    let session = person(&house, "ada", DashRole::Viewer).await;
    // Seen: who asks is known, what he has is not.
    assert!(lets_in(&house, &session).await);
    house.store.close().await;
    let answers = [
        house.get("/api/v1/account", &session).await,
        house.get("/api/v1/passkeys", &session).await,
        delete(&house, "any", &session).await,
    ];
    for answer in answers {
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        let kind = answer.headers()["content-type"].to_str().unwrap();
        assert_eq!(kind, "application/problem+json");
    }
}
