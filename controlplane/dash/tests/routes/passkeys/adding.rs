//! Who may add one, and what is said of it.

use super::{AT, add, asked, code, enter, held, house, lets_in, person, send, signed_in};
use crate::authenticator::Device;
use crate::house::{House, text};
use axum::http::StatusCode;
use kill_wire::{LeverRequest, Scope};
use net_model::{DashRole, KeyHash};
use serde_json::json;
use store::TokenRecord;

const ELEVEN_MINUTES: u64 = 11 * 60 * 1000;

#[tokio::test]
async fn who_came_by_a_link_adds_one_and_comes_back_with_it_as_an_admin() {
    let house = house().await;
    let session = house.session().await;
    let mut phone = Device::new(1, AT);
    let added = add(&house, &mut phone, &session, " phone ").await;
    assert_eq!(added.status(), StatusCode::CREATED);
    let page = text(house.get("/account", &session).await).await;
    assert!(
        page.contains("The machine’s owner") && page.contains("phone"),
        "{page}"
    );
    assert!(
        page.contains("a one-time link of the machine") && page.contains("never"),
        "{page}"
    );
    house.post("/sign-out", &session, "").await;
    assert!(!lets_in(&house, &session).await);

    let session = signed_in(&house, &mut phone).await;
    let page = text(house.get("/account", &session).await).await;
    assert!(
        page.contains("by</dt><dd>a passkey") && page.contains("admin"),
        "{page}"
    );
    house
        .post("/cut", &session, "scope=LLM&confirm=LLM&why=now")
        .await;
    let cut = [LeverRequest::Cut {
        scope: Scope::Llm,
        by: "dashboard passkey".to_owned(),
        why: "now".to_owned(),
    }];
    let cuts = |it: &LeverRequest| matches!(it, LeverRequest::Cut { .. });
    let asked: Vec<_> = house.was_asked().into_iter().filter(cuts).collect();
    assert_eq!(asked, cut);
    let changes = house.changes().await;
    assert!(
        changes.contains("passkey.add phone gives admin\n"),
        "{changes}"
    );
    assert!(changes.contains("sign_in admin phone\n"), "{changes}");
    let rows = house.store.changes(100, None).await.unwrap();
    let signed_in = rows
        .iter()
        .find(|row| row.change.what == "sign_in")
        .unwrap();
    assert_eq!(signed_in.change.by, "dashboard passkey");
    assert_eq!(signed_in.change.how.as_str(), "passkey");
}

#[tokio::test]
async fn a_restore_asks_for_a_code_all_the_same() {
    let house = house().await;
    let session = house.session().await;
    let mut phone = Device::new(1, AT);
    add(&house, &mut phone, &session, "phone").await;
    let session = signed_in(&house, &mut phone).await;
    let answer = house.post("/restore", &session, "scope=LLM&code=").await;
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(house.was_asked().is_empty());
}

#[tokio::test]
async fn adding_needs_a_fresh_sign_in() {
    let house = house().await;
    let session = person(&house, "ada", DashRole::Viewer).await;
    let wanted = asked(&house, "/account/passkeys/begin", &session).await;
    house.pass(ELEVEN_MINUTES);
    let begun = send(&house, "/account/passkeys/begin", &session, &json!({})).await;
    assert_eq!(code(begun).await, "not_fresh");
    let mut device = Device::new(1, AT);
    let filled = json!({ "name": "phone", "credential": device.make(&wanted) });
    let ended = send(&house, "/account/passkeys", &session, &filled).await;
    assert_eq!(code(ended).await, "not_fresh");
    let page = text(house.get("/account", &session).await).await;
    assert!(
        page.contains("needs a sign-in of the last ten minutes"),
        "{page}"
    );
    assert!(!page.contains("passkey-add"), "{page}");
    assert_eq!(house.store.passkeys(9).await.unwrap(), []);
}

#[tokio::test]
async fn a_program_adds_none() {
    let house = house().await;
    let now = house.now();
    let record = TokenRecord {
        name: "backup".parse().unwrap(),
        role: DashRole::Admin,
        created: now,
        created_by: "dashboard".to_owned(),
        expires: now.plus_millis(3_600_000),
        revoked: None,
        last_used: None,
    };
    let hash = KeyHash::of(b"pct_token");
    assert!(house.store.create_token(hash, &record).await.unwrap());
    let request = crate::house::request(axum::http::Method::POST, "/account/passkeys/begin", "")
        .header("authorization", "Bearer pct_token")
        .body(axum::body::Body::empty());
    let answer = house.send(request.unwrap()).await;
    assert_eq!(code(answer).await, "no_person");
}

#[tokio::test]
async fn what_was_asked_of_one_session_is_not_taken_from_another_nor_twice() {
    let house = house().await;
    let (ada, eve) = (
        person(&house, "ada", DashRole::Admin).await,
        person(&house, "eve", DashRole::Viewer).await,
    );
    let mut device = Device::new(1, AT);
    let wanted = asked(&house, "/account/passkeys/begin", &ada).await;
    let filled = json!({ "name": "phone", "credential": device.make(&wanted) });
    let stolen = send(&house, "/account/passkeys", &eve, &filled).await;
    assert_eq!(stolen.status(), StatusCode::FORBIDDEN);
    let spent = send(&house, "/account/passkeys", &ada, &filled).await;
    assert_eq!(
        spent.status(),
        StatusCode::FORBIDDEN,
        "a challenge counts once"
    );
    assert_eq!(
        add(&house, &mut device, &ada, "phone").await.status(),
        StatusCode::CREATED
    );
    // The same passkey is nobody else's.
    assert_eq!(
        code(add(&house, &mut device, &eve, "mine").await).await,
        "known"
    );
    let all = house.store.passkeys(9).await.unwrap();
    assert_eq!(all.len(), 1);
    assert_eq!((all[0].who.as_str(), all[0].role), ("ada", DashRole::Admin));
}

#[tokio::test]
async fn what_is_made_elsewhere_or_for_nobody_is_not_taken() {
    let house = house().await;
    let session = house.session().await;
    let not_added = async |device: &mut Device, name: &str| {
        code(add(&house, device, &session, name).await).await
    };
    let mut elsewhere = Device::new(1, "https://portcullis.lan.evil.example");
    assert_eq!(not_added(&mut elsewhere, "phone").await, "refused");
    let mut unverified = Device::new(2, AT);
    unverified.flags = 0x01;
    assert_eq!(not_added(&mut unverified, "phone").await, "refused");
    let mut other = Device::new(3, AT);
    other.party = Some("lan".to_owned());
    assert_eq!(not_added(&mut other, "phone").await, "refused");
    let mut good = Device::new(4, AT);
    for name in ["", "  ", "a\u{7}b", &"x".repeat(41)] {
        assert_eq!(not_added(&mut good, name).await, "invalid", "{name}");
    }
    for junk in [
        json!({}),
        json!([]),
        json!({"name": "a", "credential": {}}),
        json!({"name": "a", "credential": {"id": "x"}, "role": "admin"}),
    ] {
        let answer = send(&house, "/account/passkeys", &session, &junk).await;
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY, "{junk}");
    }
    assert_eq!(house.store.passkeys(9).await.unwrap(), []);
}

#[tokio::test]
async fn one_added_by_a_passkey_counts_no_longer_than_that_one() {
    let house = house().await;
    let mut phone = held(&house, 1, "ada", DashRole::Operator).await;
    house.pass(6 * 24 * 3_600_000);
    let session = signed_in(&house, &mut phone).await;
    let mut second = Device::new(2, AT);
    assert_eq!(
        add(&house, &mut second, &session, "tablet").await.status(),
        StatusCode::CREATED
    );
    assert_eq!(second.user, phone.user, "one person");
    signed_in(&house, &mut second).await;
    house.pass(24 * 3_600_000);
    assert_eq!(code(enter(&house, &mut second).await).await, "not_vouched");
}

#[tokio::test]
async fn where_they_are_off_nothing_is_shown_and_nothing_is_asked() {
    let house = House::new().await;
    let session = house.session().await;
    let page = text(house.get("/sign-in", "").await).await;
    assert!(!page.contains("passkey"), "{page}");
    let page = text(house.get("/account", &session).await).await;
    assert!(
        page.contains("Passkeys are off here") && !page.contains("passkey-add"),
        "{page}"
    );
    for path in [
        "/sign-in/passkey/begin",
        "/sign-in/passkey",
        "/account/passkeys/begin",
        "/account/passkeys",
    ] {
        assert_eq!(
            code(send(&house, path, &session, &json!({})).await).await,
            "off",
            "{path}"
        );
    }
}
