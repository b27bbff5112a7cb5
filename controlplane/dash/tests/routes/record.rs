//! What people change is written down: who, from where, by which sign-in.

use crate::house::{House, request};
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Method, header};
use net_model::{DashRole, SignedInBy};
use std::net::SocketAddr;
use store::ChangesCheck;

async fn post_from(house: &House, peer: &str, path: &str, session: &str, form: &'static str) {
    let mut request = request(Method::POST, path, session)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "same-origin")
        .body(Body::from(form))
        .unwrap();
    let peer: SocketAddr = peer.parse().unwrap();
    request.extensions_mut().insert(ConnectInfo(peer));
    house.send(request).await;
}

#[tokio::test]
async fn each_change_is_written_down_with_who_from_where_and_how() {
    let house = House::new().await;
    house.issue("t0ken");
    post_from(
        &house,
        "[::ffff:192.0.2.9]:5000",
        "/sign-in",
        "",
        "token=t0ken",
    )
    .await;
    let session = house.session_of(DashRole::Admin).await;
    for (path, form) in [
        ("/restore", "scope=LLM&code=98765432"),
        ("/cut", "scope=LLM&confirm=LLM"),
        ("/drill", ""),
        ("/check-in", ""),
        ("/sign-out", ""),
    ] {
        post_from(&house, "192.0.2.7:4000", path, &session, form).await;
    }
    let mut rows = house.store.changes(100, None).await.unwrap();
    rows.reverse();
    let told: Vec<(&str, &str)> = rows
        .iter()
        .map(|row| (row.change.what.as_str(), row.change.subject.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("sign_in", "admin"),
            ("restore", "LLM"),
            ("cut", "LLM"),
            ("drill", ""),
            ("check_in", ""),
            ("sign_out", ""),
        ]
    );
    let first = &rows[0].change;
    assert_eq!(
        (first.by.as_str(), first.how),
        ("dashboard", SignedInBy::Link)
    );
    assert_eq!(first.from, Some("192.0.2.9".parse().unwrap()));
    for row in &rows[1..] {
        let change = &row.change;
        assert_eq!(
            (change.by.as_str(), change.how),
            ("oidc ada.admin", SignedInBy::Oidc)
        );
        assert_eq!(change.from, Some("192.0.2.7".parse().unwrap()));
        assert!(
            !change.detail.contains("98765432"),
            "a code is written down nowhere"
        );
    }
    assert_eq!(
        house.store.check_changes().await.unwrap(),
        ChangesCheck::Whole(6)
    );
}
