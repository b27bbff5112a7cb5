//! With the database gone: whoever was signed in may still cut, and may change nothing else.

use crate::house::{House, text};
use axum::http::StatusCode;
use kill_wire::{LeverRequest, Scope};
use net_model::{DashRole, KeyHash};

const CUT: &str = "scope=LLM&confirm=LLM&why=now";

#[tokio::test]
async fn a_session_that_was_seen_cuts_without_the_database_and_does_nothing_else() {
    let mut house = House::new().await;
    house.config.close();
    let session = house.session_of(DashRole::Admin).await;
    assert_eq!(house.get("/", &session).await.status(), StatusCode::OK);
    house.store.close().await;

    let answer = house.post("/cut", &session, CUT).await;
    // The double hangs up: what counts is that it was asked.
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    let cut = [LeverRequest::Cut {
        scope: Scope::Llm,
        by: "oidc ada.admin".to_owned(),
        why: "ada.admin by OIDC: now".to_owned(),
    }];
    assert_eq!(house.was_asked(), cut);

    for path in ["/restore", "/drill", "/check-in", "/sign-out"] {
        let answer = house.post(path, &session, "scope=LLM&code=12345678").await;
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE, "{path}");
        let told = text(answer).await;
        assert!(
            told.contains("nothing but a cut is possible"),
            "{path} {told}"
        );
    }
    let answer = house.post("/api/v1/config/reload", &session, "").await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(text(answer).await.contains("only_cuts"));
    assert_eq!(house.was_asked(), cut, "and asked for nothing else");
    // The page with the red button still opens.
    let page = text(house.get("/", &session).await).await;
    assert!(page.contains("id=\"cut-button\""), "{page}");
}

#[tokio::test]
async fn who_was_never_seen_or_may_not_cut_cuts_nothing_without_the_database() {
    let house = House::new().await;
    let unseen = house.session_of(DashRole::Operator).await;
    let viewer = house.session_of(DashRole::Viewer).await;
    assert_eq!(house.get("/", &viewer).await.status(), StatusCode::OK);
    house.store.close().await;
    for (session, wanted) in [
        ("", StatusCode::UNAUTHORIZED),
        (
            "portcullis_session=guessed",
            StatusCode::SERVICE_UNAVAILABLE,
        ),
        (&unseen, StatusCode::SERVICE_UNAVAILABLE),
        (&viewer, StatusCode::FORBIDDEN),
    ] {
        let answer = house.post("/cut", session, CUT).await;
        assert_eq!(answer.status(), wanted, "{session}");
    }
    assert!(house.was_asked().is_empty());
}

#[tokio::test]
async fn a_session_that_was_ended_or_is_over_is_not_remembered() {
    let house = House::new().await;
    let (left, late) = (
        house.session().await,
        house.session_of(DashRole::Operator).await,
    );
    for session in [&left, &late] {
        assert_eq!(house.get("/", session).await.status(), StatusCode::OK);
    }
    house.post("/sign-out", &left, "").await;
    house.store.close().await;
    assert_eq!(
        house.post("/cut", &left, CUT).await.status(),
        StatusCode::SERVICE_UNAVAILABLE
    );
    house.pass(3_600_000);
    assert_eq!(
        house.post("/cut", &late, CUT).await.status(),
        StatusCode::SERVICE_UNAVAILABLE
    );
    assert!(house.was_asked().is_empty());
}

#[tokio::test]
async fn a_session_that_the_database_has_forgotten_is_not_remembered() {
    let house = House::new().await;
    let session = house.session_of(DashRole::Operator).await;
    assert_eq!(house.get("/", &session).await.status(), StatusCode::OK);
    let hash = KeyHash::of(b"session-of-operator");
    house.store.delete_session(hash).await.unwrap();
    assert_eq!(
        house.get("/", &session).await.status(),
        StatusCode::SEE_OTHER
    );
    house.store.close().await;
    house.post("/cut", &session, CUT).await;
    assert!(house.was_asked().is_empty());
}
