//! Signed-in browsers are listed to whom they belong, and ended at once.

use crate::house::{House, text};
use axum::http::StatusCode;
use net_model::{DashRole, KeyHash};

fn id(role: DashRole) -> String {
    KeyHash::of(format!("session-of-{role}").as_bytes()).to_hex()
}

#[tokio::test]
async fn an_admin_sees_and_ends_all_and_others_only_their_own() {
    let house = House::new().await;
    let [viewer, operator, admin] = [
        house.session_of(DashRole::Viewer).await,
        house.session_of(DashRole::Operator).await,
        house.session_of(DashRole::Admin).await,
    ];
    let all = text(house.get("/sessions", &admin).await).await;
    for role in DashRole::ALL {
        assert!(all.contains(&format!("ada.{role}")), "{all}");
    }
    let own = text(house.get("/sessions", &viewer).await).await;
    assert!(
        own.contains("ada.viewer") && !own.contains("ada.admin"),
        "{own}"
    );
    for other in [
        id(DashRole::Admin),
        id(DashRole::Operator),
        "f".repeat(64),
        "x".to_owned(),
    ] {
        let answer = house
            .post(&format!("/sessions/{other}/end"), &viewer, "")
            .await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    }
    assert_eq!(house.get("/", &operator).await.status(), StatusCode::OK);
    let path = format!("/sessions/{}/end", id(DashRole::Operator));
    let answer = house.post(&path, &admin, "").await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    assert_eq!(
        house.get("/", &operator).await.status(),
        StatusCode::SEE_OTHER
    );
    // Remembered no more, so the database gone brings it back to nothing.
    house.store.close().await;
    house.post("/cut", &operator, "scope=LLM&confirm=LLM").await;
    assert!(house.was_asked().is_empty());
}

#[tokio::test]
async fn ending_a_session_is_written_down_with_whose_it_was() {
    let house = House::new().await;
    house.session_of(DashRole::Operator).await;
    let admin = house.session_of(DashRole::Admin).await;
    let path = format!("/sessions/{}/end", id(DashRole::Operator));
    house.post(&path, &admin, "").await;
    let rows = house.store.changes(1, None).await.unwrap();
    let change = &rows[0].change;
    assert_eq!(
        (
            change.what.as_str(),
            change.subject.as_str(),
            change.by.as_str()
        ),
        ("session.end", "ada.operator", "oidc ada.admin")
    );
}

#[tokio::test]
async fn too_many_attempts_to_sign_in_are_told_to_wait_and_a_cut_is_not() {
    let house = House::new().await;
    let session = house.session_of(DashRole::Operator).await;
    for _ in 0..60 {
        let answer = house.post("/sign-in", "", "token=wrong").await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    }
    let file = house.issue("t0ken");
    let answer = house.post("/sign-in", "", "token=t0ken").await;
    assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(file.exists(), "and the link is not spent");
    house.post("/cut", &session, "scope=LLM&confirm=LLM").await;
    assert_eq!(house.was_asked().len(), 1);
    house.pass(60_000);
    let answer = house.post("/sign-in", "", "token=t0ken").await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
}
