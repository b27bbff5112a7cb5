//! What pages show, as programs ask for it: the same rows, a page at a time.

use crate::fleet::host;
use crate::house::{House, incident, request, text};
use crate::past::{cut, feigned, proved, restored};
use crate::spend::with_usage;
use axum::body::Body;
use axum::http::{Method, Response, StatusCode, header};
use kill_wire::{LeverReply, Timestamp};
use net_model::{AlertView, DashRole, KeyHash};
use serde_json::{Value, json};

async fn read(answer: Response<Body>) -> Value {
    let (status, text) = (answer.status(), text(answer).await);
    serde_json::from_str(&text).unwrap_or_else(|_| panic!("{status}: {text}"))
}

async fn get(house: &House, path: &str, session: &str) -> Value {
    let answer = house.get(path, session).await;
    assert_eq!(answer.status(), StatusCode::OK, "{path}");
    read(answer).await
}

/// A program's request: no browser's header.
async fn send(
    house: &House,
    method: Method,
    path: &str,
    session: &str,
    body: Value,
) -> Response<Body> {
    let request = request(method, path, session).header(header::CONTENT_TYPE, "application/json");
    house
        .send(request.body(Body::from(body.to_string())).unwrap())
        .await
}

#[derive(serde::Deserialize)]
struct Page {
    items: Vec<serde_json::Map<String, Value>>,
    next: Option<String>,
}

/// Each name over all pages of this size.
async fn walk(house: &House, path: &str, session: &str, size: u32, name: &str) -> Vec<String> {
    let (mut all, mut after) = (Vec::new(), String::new());
    for _ in 0..50 {
        let page = format!("{path}limit={size}{after}");
        let page: Page = serde_json::from_value(get(house, &page, session).await).unwrap();
        assert!(page.items.len() <= size as usize);
        all.extend(page.items.iter().map(|it| {
            let name = it.get(name).unwrap();
            name.as_str()
                .map_or_else(|| name.to_string(), str::to_owned)
        }));
        match page.next {
            Some(next) => after = format!("&after={}", next.replace('/', "%2F")),
            None => return all,
        }
    }
    panic!("{path} has no end: {all:?}")
}

#[tokio::test]
async fn incidents_go_back_through_the_journal_and_each_is_told_step_by_step() {
    let house = House::new().await;
    let session = house.session().await;
    let lines: Vec<String> = (1..=7).map(|n| cut(n.into(), n)).collect();
    house.write_journal(&[lines.concat(), proved(8, 3), restored(9, 3)].concat());
    // The kill switch itself has the newest alone at hand.
    let newest = kill_wire::IncidentRecord {
        incident: kill_wire::Incident::try_from(7).unwrap(),
        ..incident()
    };
    house.answer_with(LeverReply::Incidents {
        incidents: vec![newest],
    });
    let first = get(&house, "/api/v1/incidents", &session).await;
    assert_eq!(first["items"][0]["incident"], 7);
    let all = walk(
        &house,
        "/api/v1/incidents?after=7&",
        &session,
        50,
        "incident",
    )
    .await;
    assert_eq!(all, ["6", "5", "4", "3", "2", "1"]);
    let page = get(&house, "/api/v1/incidents?after=7&limit=2", &session).await;
    assert_eq!(page["next"], "5");

    let one = get(&house, "/api/v1/incidents/3", &session).await;
    let what: Vec<&str> = one["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["what"].as_str().unwrap())
        .collect();
    assert_eq!(what, ["Cut: LLM", "Proven", "Restored: LLM"]);
    assert_eq!(
        (&one["severed_ms"], &one["proven_ms"]),
        (&json!(21), &json!(84))
    );
    assert_eq!(one["ended"]["by"], "ben (dashboard)");
    for path in ["/api/v1/incidents/99", "/api/v1/incidents/x"] {
        let answer = house.get(path, &session).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND);
        assert_eq!(read(answer).await["code"], "no_such_incident");
    }
}

#[tokio::test]
async fn the_journal_is_read_page_by_page_and_keeps_the_secret_of_who_was_forced() {
    let house = House::new().await;
    let session = house.session_of(DashRole::Viewer).await;
    let lines: Vec<String> = (1..=6).map(|n| cut(n.into(), n)).collect();
    house.write_journal(&[lines.concat(), feigned(7), proved(8, 6)].concat());
    for size in [1, 3, 8] {
        let all = walk(&house, "/api/v1/journal?", &session, size, "n").await;
        assert_eq!(all, ["8", "6", "5", "4", "3", "2", "1"], "pages of {size}");
    }
    let whole = get(&house, "/api/v1/journal", &session).await;
    assert_eq!(whole["entries"], 8);
    assert!(!whole.to_string().contains("zoltan"), "{whole}");

    let path = "/api/v1/journal/verify";
    let good = send(&house, Method::POST, path, &session, json!({})).await;
    assert_eq!(read(good).await["ok"], true);
    house.write_journal("forged");
    let bad = read(send(&house, Method::POST, path, &session, json!({})).await).await;
    assert_eq!(bad["ok"], false);
    assert!(bad["why"].as_str().unwrap().contains("hash"), "{bad}");
}

#[tokio::test]
async fn spending_is_what_the_page_says_and_since_any_instant() {
    let house = with_usage().await;
    let session = house.session().await;
    let week = get(&house, "/api/v1/spend?by=model&span=7d", &session).await;
    assert_eq!(week["total"]["cost"], 1_750_000);
    assert_eq!(week["total"]["unknown_price"], 1);
    assert_eq!(week["items"][0]["cost"], 1_500_000, "the dearest first");
    let names = walk(
        &house,
        "/api/v1/spend?by=model&span=7d&",
        &session,
        1,
        "name",
    )
    .await;
    assert_eq!(names, ["=cmd|' /C calc'!A0", "small"]);
    let year = get(&house, "/api/v1/spend?by=day&span=365d", &session).await;
    assert_eq!(year["total"]["cost"], 10_750_000);
    let days = year["items"].as_array().unwrap();
    assert!(
        days.iter()
            .all(|day| day["name"].as_str().unwrap().len() == 10)
    );
    // A second ago one exchange had ended already.
    let since = house.now().millis() - 500;
    let path = format!("/api/v1/spend?since={since}");
    let last = get(&house, &path, &session).await;
    assert_eq!(last["total"]["exchanges"], 1);
    assert_eq!(last["since"], since);
    let wrong = house.get("/api/v1/spend?by=colour", &session).await;
    assert_eq!(wrong.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn sessions_are_seen_and_ended_by_whom_they_concern() {
    let house = House::new().await;
    let viewer = house.session_of(DashRole::Viewer).await;
    let admin = house.session_of(DashRole::Admin).await;
    let own = get(&house, "/api/v1/sessions", &viewer).await;
    assert_eq!(own["items"].as_array().unwrap().len(), 1);
    assert_eq!(own["items"][0]["own"], true);
    let all = get(&house, "/api/v1/sessions", &admin).await;
    assert_eq!(all["items"].as_array().unwrap().len(), 2);
    let id = |role: DashRole| KeyHash::of(format!("session-of-{role}").as_bytes()).to_hex();
    let path = |role| format!("/api/v1/sessions/{}", id(role));
    let end = async |role, session: &str| {
        let path = path(role);
        let answer = send(&house, Method::DELETE, &path, session, json!({}));
        answer.await.status()
    };
    assert_eq!(end(DashRole::Admin, &viewer).await, StatusCode::NOT_FOUND);
    assert_eq!(end(DashRole::Viewer, &admin).await, StatusCode::NO_CONTENT);
    let gone = house.get("/api/v1/sessions", &viewer).await;
    assert_eq!(gone.status(), StatusCode::UNAUTHORIZED);
    assert!(house.changes().await.starts_with("session.end ada.viewer"));
}

#[tokio::test]
async fn hosts_and_alerts_come_in_pages_of_any_size() {
    let house = House::new().await;
    let session = house.session().await;
    for (name, zone) in [("claw2", "red"), ("gpu1", "inference"), ("claw1", "red")] {
        host(&house, name, zone).await;
    }
    for size in 1..=4 {
        let all = walk(&house, "/api/v1/hosts?", &session, size, "name").await;
        assert_eq!(all, ["gpu1", "claw1", "claw2"]);
        let red = walk(&house, "/api/v1/hosts?zone=red&", &session, size, "name").await;
        assert_eq!(red, ["claw1", "claw2"]);
    }
    let alert = |id: u64| AlertView {
        id,
        rule: "disk".to_owned(),
        host: None,
        subject: id.to_string(),
        text: "full".to_owned(),
        since: Timestamp::from_millis(id),
        ended: id.is_multiple_of(2).then(|| Timestamp::from_millis(id)),
        quiet: false,
        told: None,
    };
    let all: Vec<AlertView> = (1..=5).map(alert).collect();
    house.store.keep_alerts(&all).await.unwrap();
    for size in 1..=6 {
        let all = walk(&house, "/api/v1/alerts?", &session, size, "id").await;
        assert_eq!(all, ["5", "3", "1", "4", "2"]);
    }
    for wrong in [
        "hosts?after=claw1",
        "hosts?after=",
        "alerts?after=5",
        "alerts?after=old.5",
    ] {
        let answer = house.get(&format!("/api/v1/{wrong}"), &session).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{wrong}");
        let said = read(answer).await["detail"].to_string();
        assert!(said.contains("`after`"), "{said}");
    }
}

#[tokio::test]
async fn routes_and_targets_are_told_with_their_last_hour() {
    let house = with_usage().await;
    let session = house.session().await;
    let all = get(&house, "/api/v1/targets", &session).await;
    assert_eq!(
        all["items"],
        json!([]),
        "this house's gateway tells of none"
    );
    assert_eq!(all["routes"][0]["name"], "chat");
    assert_eq!(all["routes"][0]["standing"], "open");
    assert_eq!(all["routes"][0]["ways"][0]["target"], "box");
}

#[tokio::test]
async fn people_are_added_and_revoked_by_a_program_only_with_somebody_s_code() {
    let house = House::new().await;
    let session = house.session_of(DashRole::Admin).await;
    let post = async |path: &str, body| {
        let answer = send(&house, Method::POST, path, &session, body).await;
        (answer.status(), read(answer).await)
    };
    let (status, keys) = post("/api/v1/people", json!({ "name": "ada" })).await;
    assert_eq!((status, &keys["id"]), (StatusCode::CREATED, &json!("00ff")));
    assert_eq!(keys["keys"][0]["label"], "RESTORE");
    let finish = |vouch: &str| json!({ "id": "00ff", "name": "ada", "vouch": vouch, "codes": { "RESTORE": "12345678" } });
    let (status, refused) = post("/api/v1/people/finish", finish("00000000")).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{refused}");
    let (status, added) = post("/api/v1/people/finish", finish("87654321")).await;
    assert_eq!(
        (status, &added["vouched"]),
        (StatusCode::CREATED, &json!("owner"))
    );
    let wanted = json!({ "count": 3, "vouch": "87654321" });
    let (status, cards) = post("/api/v1/people/ada/cards", wanted).await;
    assert_eq!(status, StatusCode::CREATED);
    assert_eq!(cards["codes"].as_array().unwrap().len(), 3);
    let revoke = |confirm: &str| json!({ "confirm": confirm, "vouch": "87654321" });
    let (status, _) = post("/api/v1/people/ada/revoke", revoke("Ada")).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let (status, done) = post("/api/v1/people/ada/revoke", revoke("ada")).await;
    assert_eq!(status, StatusCode::OK);
    assert!(done["text"].as_str().unwrap().contains("ada"));
    let (status, wrong) = post("/api/v1/people", json!({ "nane": "ada" })).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        wrong["detail"].as_str().unwrap().contains("nane"),
        "{wrong}"
    );
    let written = house.changes().await;
    assert_eq!(written.matches("person.").count(), 4, "{written}");
    assert!(!written.contains("87654321") && !written.contains("12345678"));
}

#[tokio::test]
async fn the_text_of_the_configuration_is_for_whoever_may_change_it() {
    let house = House::new().await;
    let [viewer, admin] = [
        house.session_of(DashRole::Viewer).await,
        house.session_of(DashRole::Admin).await,
    ];
    let shown = get(&house, "/api/v1/settings", &viewer).await;
    assert_eq!(
        (&shown["version"], &shown["text"]),
        (&json!("v1"), &Value::Null)
    );
    let whole = get(&house, "/api/v1/settings", &admin).await;
    assert!(whole["text"].as_str().unwrap().contains("only for"));
}
