//! Consumers, people, channels, settings: what is shown, what is asked for, what is written down, and what needs a code.

use crate::house::{House, request, text};
use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use dash::ConsumerChange;
use net_model::DashRole;

#[tokio::test]
async fn a_new_consumer_s_key_is_shown_once_and_what_was_done_is_written_down() {
    let house = House::new().await;
    let admin = house.session_of(DashRole::Admin).await;
    let form = "name=Bob&routes=chat&local=on&tokens_per_minute=10%2C000&money=2.50";
    let made = text(house.post("/consumers", &admin, form).await).await;
    assert!(made.contains("pck_shown-once"), "{made}");
    let asked = house.office.changes.lock().unwrap().clone();
    let [ConsumerChange::Create { name, wish }] = asked.as_slice() else {
        panic!("{asked:?}");
    };
    assert!(name == "bob" && wish.local && !wish.cloud);
    assert_eq!(wish.own.tokens_per_minute, Some(10_000));
    let page = text(house.get("/consumers", &admin).await).await;
    assert!(page.contains("portcullis.toml line 7") && !page.contains("pck_"));
    let changes = house.changes().await;
    assert!(changes.contains("consumer.create bob"), "{changes}");
    assert!(!changes.contains("pck_"), "{changes}");
}

#[tokio::test]
async fn every_mistake_is_named_on_the_page_and_nothing_in_it_is_markup() {
    let house = House::new().await;
    let admin = house.session_of(DashRole::Admin).await;
    let answer = house
        .post("/consumers", &admin, "name=claw&routes=chat")
        .await;
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let page = text(answer).await;
    assert!(
        page.contains("consumers[1].name") && !page.contains("<b>twice"),
        "{page}"
    );
    let asked = request(Method::POST, "/api/v1/consumers", &admin)
        .header(header::CONTENT_TYPE, "application/json")
        .header("sec-fetch-site", "same-origin")
        .body(Body::from("{\"name\":\"bob\",\"wish\":{\"rutes\":[]}}"));
    let answer = house.send(asked.unwrap()).await;
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(text(answer).await.contains("rutes"), "the field is named");
}

#[tokio::test]
async fn a_consumer_of_the_file_has_no_forms_and_one_that_is_kept_is_revoked_by_its_name() {
    let house = House::new().await;
    let admin = house.session_of(DashRole::Admin).await;
    let page = text(house.get("/consumers/claw", &admin).await).await;
    assert!(!page.contains("name=\"do\""), "{page}");
    let page = text(house.get("/consumers/ada", &admin).await).await;
    assert!(page.contains("value=\"rotate\"") && page.contains("value=\"revoke\""));
    let viewer = house.session_of(DashRole::Viewer).await;
    let page = text(house.get("/consumers/ada", &viewer).await).await;
    assert!(
        !page.contains("name=\"do\""),
        "who only looks gets no forms"
    );
    let slip = house
        .post("/consumers/ada", &admin, "do=revoke&confirm=adda")
        .await;
    assert_eq!(slip.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(house.office.changes.lock().unwrap().is_empty());
    let done = house
        .post("/consumers/ada", &admin, "do=revoke&confirm=ada")
        .await;
    assert_eq!(done.status(), StatusCode::OK);
    assert_eq!(house.get("/consumers/nobody", &admin).await.status(), 404);
}

#[tokio::test]
async fn people_are_changed_by_a_code_and_not_by_a_session_alone() {
    let house = House::new().await;
    let admin = house.session_of(DashRole::Admin).await;
    let keys = text(house.post("/people", &admin, "name=ada&senders=%2B1").await).await;
    assert!(
        keys.contains("<svg><path") && keys.contains("value=\"00ff\""),
        "{keys}"
    );
    let finish = |vouch: &str| format!("id=00ff&name=ada&RESTORE=12345678&vouch={vouch}");
    let refused = house
        .post("/people/finish", &admin, &finish("11111111"))
        .await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let missing = house
        .post(
            "/people/finish",
            &admin,
            "id=00ff&name=ada&RESTORE=12345678",
        )
        .await;
    assert!(missing.status().is_client_error(), "no code, nobody");
    let added = text(
        house
            .post("/people/finish", &admin, &finish("87654321"))
            .await,
    )
    .await;
    assert!(
        added.contains("ada is added") && added.contains("owner agreed"),
        "{added}"
    );
    let cards = text(
        house
            .post("/people/owner/cards", &admin, "count=21&vouch=87654321")
            .await,
    )
    .await;
    assert!(
        cards.contains("card-20") && cards.matches("class=\"sheet\"").count() == 2,
        "{cards}"
    );
    let typo = house
        .post("/people/owner/revoke", &admin, "confirm=own&vouch=87654321")
        .await;
    assert_eq!(typo.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let changes = house.changes().await;
    assert!(changes.contains("person.add ada") && changes.contains("person.cards owner"));
    assert!(!changes.contains("87654321"), "no code is written down");
}

#[tokio::test]
async fn numbers_of_phones_are_for_who_keeps_the_people() {
    let house = House::new().await;
    for (role, sees) in [
        (DashRole::Viewer, false),
        (DashRole::Operator, false),
        (DashRole::Admin, true),
    ] {
        let session = house.session_of(role).await;
        for path in ["/people", "/api/v1/people"] {
            let page = text(house.get(path, &session).await).await;
            assert!(page.contains("owner"));
            assert_eq!(
                page.contains("+49 151") || page.contains("&#43;49 151"),
                sees,
                "{role} {path}"
            );
        }
    }
}

#[tokio::test]
async fn settings_are_checked_shown_and_then_applied_over_what_was_seen() {
    let house = House::new().await;
    let admin = house.session_of(DashRole::Admin).await;
    let viewer = house.session_of(DashRole::Viewer).await;
    let page = text(house.get("/settings", &viewer).await).await;
    assert!(
        page.contains("gateway.listen") && !page.contains("only for whoever"),
        "{page}"
    );
    let wrong = house
        .post("/settings/check", &admin, "text=%5Bgatway%5D")
        .await;
    assert_eq!(wrong.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let wrong = text(wrong).await;
    assert!(
        wrong.contains("line 3: gatway: unknown key; did you mean"),
        "{wrong}"
    );
    let good = text(
        house
            .post("/settings/check", &admin, "text=%5Bgateway%5D%0D%0A")
            .await,
    )
    .await;
    assert!(
        good.contains("Europe/Berlin") && good.contains("/settings/apply"),
        "{good}"
    );
    let done = house
        .post(
            "/settings/apply",
            &admin,
            "text=%5Bgateway%5D%0D%0A&version=v1",
        )
        .await;
    let done = text(done).await;
    assert!(
        done.contains("gateway.listen counts from the next start"),
        "{done}"
    );
    let applied = house.office.applied.lock().unwrap().clone();
    assert_eq!(applied, [("[gateway]\n".to_owned(), "v1".to_owned())]);
    let changes = house.changes().await;
    assert!(
        changes.contains("settings.apply configuration"),
        "{changes}"
    );
}

#[tokio::test]
async fn channels_are_shown_and_a_job_nobody_knows_is_not_run() {
    let house = House::new().await;
    let operator = house.session_of(DashRole::Operator).await;
    let page = text(house.get("/channels", &operator).await).await;
    assert!(
        page.contains("local") && page.contains("action=\"/drill\""),
        "{page}"
    );
    let all = text(house.get("/api/v1/channels", &operator).await).await;
    assert!(all.contains("\"name\":\"local\""), "{all}");
    let run = house.post("/jobs/run", &operator, "name=everything").await;
    assert_eq!(run.status(), StatusCode::CONFLICT);
}
