//! The page with the red button: what it needs, what it keeps, when it is grey.

use crate::house::{House, latches, snapshot, text};
use axum::http::{StatusCode, header};
use kill_wire::LeverReply;
use serde_json::Value;

#[tokio::test]
async fn what_it_shows_comes_from_the_kill_switch_itself() {
    let house = House::new().await;
    let session = house.session().await;
    let dead = text(house.get("/stop", &session).await).await;
    assert!(
        dead.contains("data-kill=\"off\"") && dead.contains("does not answer"),
        "{dead}"
    );

    house.pass(5_000);
    let mut state = snapshot().killswitch.unwrap();
    state.latches = latches(&["CLOUD"]);
    house.answer_with(LeverReply::State(Box::new(state)));
    house.then_answer(LeverReply::Incidents {
        incidents: vec![crate::house::incident()],
    });
    let page = text(house.get("/stop", &session).await).await;
    for words in [
        "data-kill=\"on\"",
        "Cut: CLOUD",
        "2 probes worked before, 2 refused now",
        "3 streams closed",
    ] {
        assert!(page.contains(words), "`{words}`: {page}");
    }
    let button = page.split("id=\"hold\"").nth(1).unwrap();
    assert!(
        button.split('>').next().unwrap().contains("disabled"),
        "grey until a beat says that it works"
    );
}

#[tokio::test]
async fn its_shell_can_be_kept_and_says_nothing_of_the_house() {
    let house = House::new().await;
    let manifest = house.get("/stop/manifest.webmanifest", "").await;
    assert_eq!(
        manifest.headers()[header::CONTENT_TYPE],
        "application/manifest+json"
    );
    let manifest: Value = serde_json::from_str(&text(manifest).await).unwrap();
    assert_eq!(
        (manifest["start_url"].as_str(), manifest["scope"].as_str()),
        (Some("/stop"), Some("/stop"))
    );
    for icon in manifest["icons"].as_array().unwrap() {
        let answer = house.get(icon["src"].as_str().unwrap(), "").await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(
            answer.headers()[header::CONTENT_TYPE],
            icon["type"].as_str().unwrap()
        );
    }

    let worker = house.get("/stop/worker.js", "").await;
    assert_eq!(worker.headers()["service-worker-allowed"], "/stop");
    let worker = text(worker).await;
    let list = worker
        .lines()
        .next()
        .unwrap()
        .strip_prefix("const SHELL = ")
        .unwrap();
    let shell: Vec<String> = serde_json::from_str(list.trim_end_matches(';')).unwrap();
    for path in &shell {
        assert_eq!(house.get(path, "").await.status(), StatusCode::OK, "{path}");
        assert!(
            path == "/stop/offline" || path.starts_with("/assets/"),
            "{path}"
        );
    }
    let offline = text(house.get("/stop/offline", "").await).await;
    assert!(offline.contains("disabled") && !offline.contains("CLOUD"));
    assert!(house.was_asked().is_empty());
}

#[tokio::test]
async fn a_cut_from_it_needs_no_database() {
    let house = House::new().await;
    let session = house.session().await;
    assert_eq!(house.get("/stop", &session).await.status(), StatusCode::OK);
    house.store.close().await;
    let before = house.was_asked().len();
    house
        .post("/cut", &session, "scope=ALL&confirm=ALL&why=held")
        .await;
    let asked = house.was_asked();
    assert!(
        matches!(asked[before], kill_wire::LeverRequest::Cut { .. }),
        "{asked:?}"
    );
    let page = house.get("/stop", &session).await;
    assert_eq!(
        page.status(),
        StatusCode::OK,
        "the page is drawn without it"
    );
}
