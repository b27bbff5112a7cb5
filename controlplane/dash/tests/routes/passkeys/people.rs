//! Whose a passkey is: one person's, with what he may now, until he or an admin removes it.

use super::{ISSUER, code, enter, held, house, lets_in, person, signed_in};
use crate::house::{House, text};
use axum::http::StatusCode;
use data_encoding::BASE64URL_NOPAD;
use net_model::DashRole;

fn id(device: u8) -> String {
    format!("id={}", BASE64URL_NOPAD.encode(&[device; 32]))
}

/// What the provider says when a session of this person is renewed.
async fn says(house: &House, name: &str, role: Option<DashRole>) {
    let subject = format!("sub-{name}");
    let said = role.map(|role| (name, role));
    let noted = house
        .store
        .vouch_passkeys(ISSUER, &subject, said, house.now());
    noted.await.unwrap();
}

#[tokio::test]
async fn a_passkey_gives_what_the_provider_said_last() {
    let house = house().await;
    let mut phone = held(&house, 1, "ada", DashRole::Admin).await;
    let session = signed_in(&house, &mut phone).await;
    assert!(lets_in(&house, &session).await);
    says(&house, "ada", Some(DashRole::Admin)).await;
    assert!(lets_in(&house, &session).await, "nothing changed");
    says(&house, "ada", Some(DashRole::Viewer)).await;
    assert!(!lets_in(&house, &session).await, "the session had more");
    let session = signed_in(&house, &mut phone).await;
    let cut = house.post("/cut", &session, "scope=LLM&confirm=LLM").await;
    assert_eq!(cut.status(), StatusCode::FORBIDDEN);
    says(&house, "eve", None).await;
    assert!(lets_in(&house, &session).await, "somebody else");
}

#[tokio::test]
async fn who_may_nothing_any_more_is_out_and_his_passkey_is_dead_until_he_may_again() {
    let house = house().await;
    let mut phone = held(&house, 1, "ada", DashRole::Operator).await;
    let session = signed_in(&house, &mut phone).await;
    says(&house, "ada", None).await;
    assert!(!lets_in(&house, &session).await);
    assert_eq!(code(enter(&house, &mut phone).await).await, "not_vouched");
    says(&house, "ada", Some(DashRole::Viewer)).await;
    assert!(!lets_in(&house, &session).await, "what is over stays over");
    signed_in(&house, &mut phone).await;
}

#[tokio::test]
async fn the_provider_s_word_counts_for_seven_days_and_an_owner_s_for_good() {
    let house = house().await;
    let mut phone = held(&house, 1, "ada", DashRole::Operator).await;
    let mut owners = crate::authenticator::Device::new(2, super::AT);
    let owner = house.session().await;
    super::add(&house, &mut owners, &owner, "safe").await;
    house.pass(7 * 24 * 3_600_000 - 1000);
    signed_in(&house, &mut phone).await;
    house.pass(1000);
    assert_eq!(code(enter(&house, &mut phone).await).await, "not_vouched");
    house.pass(400 * 24 * 3_600_000);
    signed_in(&house, &mut owners).await;
}

#[tokio::test]
async fn with_another_provider_or_none_a_person_of_the_old_one_stays_out() {
    let house = house().await;
    let mut phone = held(&house, 1, "ada", DashRole::Admin).await;
    let house = house.with_passkeys(super::AT, "https://other.example");
    assert_eq!(code(enter(&house, &mut phone).await).await, "not_vouched");
    let house = house.without_provider();
    assert_eq!(code(enter(&house, &mut phone).await).await, "not_vouched");
}

#[tokio::test]
async fn logged_out_everywhere_at_the_provider_ends_what_a_passkey_began() {
    let house = house().await;
    let mut phone = held(&house, 1, "ada", DashRole::Viewer).await;
    let session = signed_in(&house, &mut phone).await;
    let ended = house.store.end_provider_sessions(Some("sub-ada"), None);
    assert_eq!(
        ended.await.unwrap().len(),
        2,
        "the account's and the passkey's"
    );
    assert!(!lets_in(&house, &session).await);
}

#[tokio::test]
async fn nobody_removes_another_s_but_an_admin_and_it_is_over_at_once() {
    let house = house().await;
    let mut ada = held(&house, 1, "ada", DashRole::Operator).await;
    held(&house, 2, "eve", DashRole::Operator).await;
    let session = signed_in(&house, &mut ada).await;
    // Seen, so that a cut would need no database.
    assert!(lets_in(&house, &session).await);
    let eve = person(&house, "eve", DashRole::Operator).await;
    let page = text(house.get("/account", &eve).await).await;
    assert!(!page.contains("ada"), "{page}");
    for which in [id(1), id(7), "id=%00".to_owned()] {
        let answer = house.post("/account/passkeys/remove", &eve, &which).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{which}");
    }
    assert!(lets_in(&house, &session).await);

    let admin = house.session().await;
    let page = text(house.get("/account", &admin).await).await;
    assert!(
        page.contains("Other people’s passkeys") && page.contains("ada"),
        "{page}"
    );
    let answer = house.post("/account/passkeys/remove", &admin, &id(1)).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    let changes = house.changes().await;
    assert!(
        changes.starts_with("passkey.remove phone ada\n"),
        "{changes}"
    );
    let cut = house.post("/cut", &session, "scope=LLM&confirm=LLM").await;
    assert_eq!(cut.status(), StatusCode::UNAUTHORIZED);
    assert!(
        house.was_asked().is_empty(),
        "not even by what is remembered"
    );
    assert_eq!(code(enter(&house, &mut ada).await).await, "unknown");
}

#[tokio::test]
async fn one_removes_one_s_own_and_what_cannot_be_written_down_is_not_done() {
    let house = house().await;
    let mut ada = held(&house, 1, "ada", DashRole::Viewer).await;
    let session = signed_in(&house, &mut ada).await;
    let page = text(house.get("/account", &session).await).await;
    assert!(
        page.contains("this browser") && page.contains("Remove"),
        "{page}"
    );
    let answer = house
        .post("/account/passkeys/remove", &session, &id(1))
        .await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    assert!(!lets_in(&house, &session).await, "it was begun with it");
    assert_eq!(house.store.passkeys(9).await.unwrap(), []);

    let again = person(&house, "eve", DashRole::Viewer).await;
    assert!(lets_in(&house, &again).await);
    house.store.close().await;
    let answer = house.post("/account/passkeys/remove", &again, &id(2)).await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn one_s_browsers_are_one_s_own_by_account_and_by_passkey_alike() {
    let house = house().await;
    let mut phone = held(&house, 1, "ada", DashRole::Viewer).await;
    let by_passkey = signed_in(&house, &mut phone).await;
    let by_account = person(&house, "ada", DashRole::Viewer).await;
    let other = person(&house, "eve", DashRole::Viewer).await;
    let token = by_passkey.split_once('=').unwrap().1;
    let path = format!(
        "/sessions/{}/end",
        net_model::KeyHash::of(token.as_bytes()).to_hex()
    );
    let answer = house.post(&path, &other, "").await;
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    let answer = house.post(&path, &by_account, "").await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    assert!(!lets_in(&house, &by_passkey).await && lets_in(&house, &by_account).await);
}
