//! What lets somebody in, and what does not.

use super::{AT, asked, code, enter, held, house, json_of, lets_in, send, signed_in};
use crate::house::text;
use axum::http::{StatusCode, header};
use net_model::DashRole;
use serde_json::json;

#[tokio::test]
async fn the_page_asks_for_a_verified_person_and_names_no_passkey() {
    let house = house().await;
    held(&house, 1, "ada", DashRole::Viewer).await;
    let page = text(house.get("/sign-in", "").await).await;
    assert!(
        page.contains("passkey-enter") && page.contains(&format!("data-origin=\"{AT}\"")),
        "{page}"
    );
    assert!(page.contains("data-to=\"/\""), "{page}");
    assert!(!page.contains("<script>"), "no inline script");
    let page = text(house.get("/sign-in?to=stop", "").await).await;
    assert!(page.contains("data-to=\"/stop\""), "{page}");
    let page = text(house.get("/sign-in?to=https://evil.example", "").await).await;
    assert!(
        page.contains("data-to=\"/\"") && !page.contains("evil"),
        "{page}"
    );
    let wanted = asked(&house, "/sign-in/passkey/begin", "").await;
    assert_eq!(wanted["rpId"], "portcullis.lan");
    assert_eq!(wanted["userVerification"], "required");
    assert_eq!(wanted["allowCredentials"], json!([]));
    let again = asked(&house, "/sign-in/passkey/begin", "").await;
    assert_ne!(wanted["challenge"], again["challenge"]);
}

#[tokio::test]
async fn whoever_wanted_the_red_button_is_led_back_to_it() {
    let house = house().await;
    let answer = house.get("/stop", "").await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    assert_eq!(answer.headers()[header::LOCATION], "/sign-in?to=stop");
    let mut phone = held(&house, 1, "ada", DashRole::Operator).await;
    let session = signed_in(&house, &mut phone).await;
    let page = house.get("/stop", &session).await;
    assert_eq!(page.status(), StatusCode::OK);
    assert!(text(page).await.contains("passkey ada"));
}

#[tokio::test]
async fn an_answer_counts_once_and_for_two_minutes() {
    let house = house().await;
    let mut phone = held(&house, 1, "ada", DashRole::Viewer).await;
    let wanted = asked(&house, "/sign-in/passkey/begin", "").await;
    let proof = phone.prove(&wanted);
    let first = send(&house, "/sign-in/passkey", "", &proof).await;
    assert_eq!(first.status(), StatusCode::OK);
    assert_eq!(json_of(first).await, json!({ "signed_in": true }));
    let replayed = send(&house, "/sign-in/passkey", "", &proof).await;
    assert_eq!(replayed.status(), StatusCode::FORBIDDEN);
    // Even a better proof of a spent challenge does not count.
    let again = send(&house, "/sign-in/passkey", "", &phone.prove(&wanted)).await;
    assert_eq!(code(again).await, "refused");
    let wanted = asked(&house, "/sign-in/passkey/begin", "").await;
    house.pass(2 * 60 * 1000);
    let late = send(&house, "/sign-in/passkey", "", &phone.prove(&wanted)).await;
    let told = text(late).await;
    assert!(told.contains("longer than two minutes"), "{told}");
    let never = json!({ "challenge": "AAAAAAAAAAAAAAAAAAAAAA", "rpId": "portcullis.lan" });
    let made_up = send(&house, "/sign-in/passkey", "", &phone.prove(&never)).await;
    assert_eq!(code(made_up).await, "refused");
}

#[tokio::test]
async fn a_challenge_of_one_ceremony_does_nothing_in_the_other() {
    let house = house().await;
    let mut phone = held(&house, 1, "ada", DashRole::Viewer).await;
    let session = super::person(&house, "eve", DashRole::Viewer).await;
    let mut wanted = asked(&house, "/account/passkeys/begin", &session).await;
    wanted["rpId"] = "portcullis.lan".into();
    let crossed = send(&house, "/sign-in/passkey", "", &phone.prove(&wanted)).await;
    assert_eq!(code(crossed).await, "refused");
}

#[tokio::test]
async fn what_was_shown_at_another_address_or_unverified_lets_nobody_in() {
    let house = house().await;
    let mut phone = held(&house, 1, "ada", DashRole::Admin).await;
    for origin in [
        "https://evil.example",
        "http://portcullis.lan",
        "https://portcullis.lan:8443",
        "https://portcullis.lan.",
        "https://x.portcullis.lan",
        "https://portcullis.lan@evil.example",
        "",
    ] {
        origin.clone_into(&mut phone.origin);
        assert_eq!(
            code(enter(&house, &mut phone).await).await,
            "untrue",
            "{origin}"
        );
    }
    AT.clone_into(&mut phone.origin);
    phone.party = Some("evil.example".to_owned());
    assert_eq!(code(enter(&house, &mut phone).await).await, "untrue");
    phone.party = None;
    for flags in [0x00, 0x01, 0x04] {
        phone.flags = flags;
        assert_eq!(
            code(enter(&house, &mut phone).await).await,
            "untrue",
            "{flags}"
        );
    }
    phone.flags = 0x05;
    signed_in(&house, &mut phone).await;
}

#[tokio::test]
async fn an_altered_proof_lets_nobody_in() {
    let house = house().await;
    let mut phone = held(&house, 1, "ada", DashRole::Admin).await;
    let mut eve = held(&house, 2, "eve", DashRole::Viewer).await;
    // Ada's passkey with Eve's signature, Eve's passkey with Ada's handle, one that is not known.
    let wanted = asked(&house, "/sign-in/passkey/begin", "").await;
    let mut proof = phone.prove(&wanted);
    proof["response"]["signature"] = eve.prove(&wanted)["response"]["signature"].clone();
    assert_eq!(
        code(send(&house, "/sign-in/passkey", "", &proof).await).await,
        "untrue"
    );
    let own = std::mem::replace(&mut eve.user, phone.user.clone());
    assert_eq!(code(enter(&house, &mut eve).await).await, "untrue");
    eve.user = own;
    let mut stranger = crate::authenticator::Device::new(9, AT);
    stranger.user = phone.user.clone();
    assert_eq!(code(enter(&house, &mut stranger).await).await, "unknown");
    for junk in [json!({}), json!(null), json!({"id": "AQ", "response": {}})] {
        let answer = send(&house, "/sign-in/passkey", "", &junk).await;
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY, "{junk}");
    }
    let session = signed_in(&house, &mut eve).await;
    let page = text(house.get("/account", &session).await).await;
    assert!(page.contains("eve") && !page.contains("ada"), "{page}");
}

#[tokio::test]
async fn a_counter_that_does_not_grow_is_a_copy() {
    let house = house().await;
    let mut phone = held(&house, 1, "ada", DashRole::Viewer).await;
    phone.count = 40;
    signed_in(&house, &mut phone).await;
    for copied in [40, 39, 0] {
        // The next proof says one more.
        phone.count = copied;
        assert_eq!(
            code(enter(&house, &mut phone).await).await,
            "untrue",
            "{copied}"
        );
    }
    phone.count = 41;
    signed_in(&house, &mut phone).await;
}

#[tokio::test]
async fn too_many_attempts_are_told_to_wait() {
    let house = house().await;
    let mut phone = held(&house, 1, "ada", DashRole::Viewer).await;
    house.pass(60_000);
    for _ in 0..60 {
        asked(&house, "/sign-in/passkey/begin", "").await;
    }
    let answer = send(&house, "/sign-in/passkey/begin", "", &json!({})).await;
    assert_eq!(code(answer).await, "too_many");
    house.pass(60_000);
    let session = signed_in(&house, &mut phone).await;
    assert!(lets_in(&house, &session).await);
}
