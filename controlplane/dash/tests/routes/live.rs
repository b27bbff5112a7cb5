//! The live page: changes only, and nothing that is being typed into.

use crate::house::{House, latches, snapshot, text};
use axum::body::Body;
use axum::http::{StatusCode, header};
use http_body_util::BodyExt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

const LIMIT: Duration = Duration::from_secs(10);

/// The next event but beats: its name and its data. `None` at the end of the stream.
async fn next(body: &mut Body) -> Option<(String, String)> {
    loop {
        let event = any(body).await?;
        if event.0 != "beat" {
            return Some(event);
        }
    }
}

/// The next event, also a beat.
async fn any(body: &mut Body) -> Option<(String, String)> {
    let frame = tokio::time::timeout(LIMIT, body.frame()).await.unwrap();
    let bytes = frame?.unwrap().into_data().unwrap();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let field = |name: &str| {
        let lines = text.lines().filter_map(|line| line.strip_prefix(name));
        lines.map(str::trim_start).collect::<Vec<_>>().join("\n")
    };
    Some((field("event:"), field("data:")))
}

#[tokio::test]
async fn everything_comes_first_and_then_only_what_changed() {
    let house = House::new().await;
    let session = house.session().await;
    let answer = house.get("/events", &session).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/event-stream");
    let mut body = answer.into_body();
    let mut first = Vec::new();
    for _ in 0..12 {
        let (name, data) = next(&mut body).await.unwrap();
        for control in ["<form", "<input", "<select", "<button"] {
            assert!(
                !data.contains(control),
                "{name} would swap away a {control}"
            );
        }
        first.push(name);
    }
    let all = [
        "verdict",
        "scopes",
        "cut",
        "exchanges",
        "targets",
        "budgets",
        "usage",
        "feed",
        "incidents",
        "health",
        "watch",
        "map",
    ];
    assert_eq!(first, all);

    let mut later = snapshot();
    later.at = later.at.plus_millis(5000);
    house.snapshots.send(Arc::new(later.clone())).unwrap();
    later.gateway.as_mut().unwrap().open = 2;
    house.snapshots.send(Arc::new(later.clone())).unwrap();
    let (name, data) = next(&mut body).await.unwrap();
    assert_eq!(name, "exchanges");
    assert!(data.contains("<strong>2</strong> open"), "{data}");
    let (name, data) = next(&mut body).await.unwrap();
    assert_eq!(name, "map");
    assert!(data.contains("2 open"), "{data}");

    later.killswitch.as_mut().unwrap().latches = latches(&["ALL"]);
    house.snapshots.send(Arc::new(later)).unwrap();
    let (name, data) = next(&mut body).await.unwrap();
    assert_eq!(name, "verdict");
    assert!(data.contains("Cut: ALL"), "{data}");
}

#[tokio::test]
async fn a_stream_ends_with_its_session() {
    let house = House::new().await;
    let session = house.session().await;
    let mut body = house.get("/events", &session).await.into_body();
    house.post("/sign-out", &session, "").await;
    let mut last = String::new();
    while let Some((name, _)) = next(&mut body).await {
        last = name;
    }
    assert_eq!(last, "ended");
}

#[tokio::test]
async fn streams_end_when_the_control_plane_stops() {
    let mut house = House::new().await;
    let session = house.session().await;
    let mut body = house.get("/events", &session).await.into_body();
    drop(std::mem::replace(
        &mut house.snapshots,
        watch::channel(Arc::new(snapshot())).0,
    ));
    while next(&mut body).await.is_some() {}
    let page = text(house.get("/", &session).await).await;
    assert!(
        page.contains("the control plane stopped looking"),
        "nothing old is shown as new"
    );
}

#[tokio::test]
async fn listeners_are_bounded() {
    let house = House::new().await;
    let session = house.session().await;
    let mut open = Vec::new();
    for _ in 0..64 {
        open.push(house.get("/events", &session).await);
    }
    let answer = house.get("/events", &session).await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    open.pop();
    let answer = house.get("/events", &session).await;
    assert_eq!(answer.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_beat_says_whether_the_kill_switch_answers_and_a_plain_page_hears_nothing_else() {
    let house = House::new().await;
    let session = house.session().await;
    let mut body = house.get("/events?view=frame", &session).await.into_body();
    let (name, data) = any(&mut body).await.unwrap();
    assert_eq!((name.as_str(), data.as_str()), ("beat", "{\"kill\":false}"));
    house.answer_with(kill_wire::LeverReply::State(Box::new(
        snapshot().killswitch.unwrap(),
    )));
    house.then_answer(kill_wire::LeverReply::Incidents {
        incidents: Vec::new(),
    });
    house.pass(5_000);
    let (name, data) = any(&mut body).await.unwrap();
    assert_eq!((name.as_str(), data.as_str()), ("beat", "{\"kill\":true}"));

    let unknown = house.get("/events?view=everything", &session).await;
    assert_eq!(unknown.status(), StatusCode::BAD_REQUEST);
}
