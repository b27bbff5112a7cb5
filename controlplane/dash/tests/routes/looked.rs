//! Tests of targets and channels, the record of changes, and what browsers tell of their pages.

use crate::house::{House, request, snapshot, text};
use axum::body::Body;
use axum::http::{Method, Response, StatusCode, header};
use kill_wire::{Class, DrillState, LeverReply, LeverRequest};
use net_model::{BreakerState, DashRole, Snapshot, TargetView};
use serde_json::Value;

fn with_target() -> Snapshot {
    let mut snapshot = snapshot();
    let gateway = snapshot.gateway.as_mut().unwrap();
    gateway.targets = vec![TargetView {
        name: "far".parse().unwrap(),
        class: Class::Cloud,
        state: BreakerState::Closed,
        since: snapshot.at,
        why: None,
        failures: 0,
        open: 0,
        health: None,
    }];
    snapshot
}

async fn by_htmx(house: &House, path: &str, cookie: &str) -> Response<Body> {
    let request = request(Method::POST, path, cookie)
        .header("sec-fetch-site", "same-origin")
        .header("hx-request", "true");
    house.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn a_target_is_asked_once_in_a_while_and_what_it_said_stands_there_for_everybody() {
    let house = House::showing(with_target()).await;
    let operator = house.session_of(DashRole::Operator).await;
    let before = text(house.get("/targets", &operator).await).await;
    assert!(
        before.contains("none since this start") && before.contains("/targets/far/test"),
        "{before}"
    );
    let part = text(by_htmx(&house, "/targets/far/test", &operator).await).await;
    assert!(
        part.contains("our key does not do (401)")
            && part.contains("hx-swap-oob")
            && !part.contains("<html"),
        "{part}"
    );
    let soon = house.post("/targets/far/test", &operator, "").await;
    assert_eq!(soon.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(soon.headers()[header::RETRY_AFTER], "3");
    assert!(
        text(soon).await.contains("<html"),
        "a whole page for a browser without scripts"
    );
    house.pass(3_000);
    let told = house.post("/api/v1/targets/far/test", &operator, "").await;
    let told: Value = serde_json::from_str(&text(told).await).unwrap();
    assert_eq!(told["took_ms"], 31);
    assert_eq!(told["found"]["status"], 401);
    assert_eq!(told["well"], false);
    for path in ["/targets/near/test", "/api/v1/targets/%2e%2e/test"] {
        let unknown = house.post(path, &operator, "").await;
        assert_eq!(unknown.status(), StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(*house.office.tested.lock().unwrap(), ["far", "far"]);
    assert_eq!(house.changes().await, "target.test far \n".repeat(2));
    let viewer = house.session_of(DashRole::Viewer).await;
    let page = text(house.get("/targets", &viewer).await).await;
    assert!(
        page.contains("our key does not do") && !page.contains("/targets/far/test"),
        "who only looks sees what was found, and no button"
    );
}

#[tokio::test]
async fn a_gateway_that_cannot_be_read_is_not_asked_to_test() {
    let mut blind = with_target();
    blind.gateway = Err("nobody listens".to_owned());
    let house = House::showing(blind).await;
    let operator = house.session_of(DashRole::Operator).await;
    let answer = house.post("/api/v1/targets/far/test", &operator, "").await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(text(answer).await.contains("nobody listens"));
    assert!(house.office.tested.lock().unwrap().is_empty());
}

#[tokio::test]
async fn one_channel_is_tested_by_a_drill_and_what_fails_elsewhere_is_not_its_fault() {
    let house = House::new().await;
    let operator = house.session_of(DashRole::Operator).await;
    let drilled = |failed: &str| LeverReply::Drilled {
        drill: DrillState {
            at: house.now(),
            failed: vec![failed.to_owned()],
            ..DrillState::default()
        },
    };
    house.answer_with(drilled("locally: never heard"));
    let well = text(by_htmx(&house, "/channels/local/test", &operator).await).await;
    assert!(
        well.contains("local: a text would come in") && well.contains("Nothing was cut"),
        "{well}"
    );
    house.pass(3_000);
    house.answer_with(drilled("local: the <courier> is not connected"));
    let bad = house
        .post("/api/v1/channels/local/test", &operator, "")
        .await;
    let bad: Value = serde_json::from_str(&text(bad).await).unwrap();
    assert_eq!(bad["problem"], "the <courier> is not connected");
    let page = text(house.get("/channels", &operator).await).await;
    assert!(
        page.contains("the &#60;courier&#62; is not connected"),
        "{page}"
    );
    let drills = |it: &LeverRequest| matches!(it, LeverRequest::Drill { .. });
    assert!(house.was_asked().iter().all(drills));
    let soon = house.post("/channels/local/test", &operator, "").await;
    assert_eq!(soon.status(), StatusCode::TOO_MANY_REQUESTS);
    let unknown = house.post("/channels/none/test", &operator, "").await;
    assert_eq!(unknown.status(), StatusCode::NOT_FOUND);
    assert_eq!(house.was_asked().len(), 2);
    assert_eq!(house.changes().await, "channel.test local \n".repeat(2));
}

/// So many changes of different people.
async fn change(house: &House, many: u64) {
    for n in 1..=many {
        let change = store::NewChange {
            at: house.now(),
            by: format!("oidc ada<{n}>"),
            how: net_model::SignedInBy::Oidc,
            from: Some("192.0.2.7".parse().unwrap()),
            what: "consumer.create".to_owned(),
            subject: format!("c{n}"),
            detail: "chat".to_owned(),
        };
        house.store.keep_change(&change).await.unwrap();
    }
}

#[tokio::test]
async fn the_record_of_changes_is_paged_checked_and_taken_away() {
    let house = House::new().await;
    let viewer = house.session_of(DashRole::Viewer).await;
    let empty = text(house.get("/journal/changes", &viewer).await).await;
    assert!(empty.contains("Nothing was changed yet"), "{empty}");
    change(&house, 103).await;
    let first = text(house.get("/journal/changes", &viewer).await).await;
    for words in [
        "103 entries",
        "oidc ada&#60;103&#62;",
        "192.0.2.7",
        "<strong>consumer.create</strong> c103",
        "/journal/changes?before=4",
    ] {
        assert!(first.contains(words), "`{words}`: {first}");
    }
    assert!(!first.contains("does not fit") && !first.contains("> c3 "));
    assert_eq!(first.matches(">fits<").count(), 100);
    let last = text(house.get("/journal/changes?before=4", &viewer).await).await;
    assert_eq!(last.matches(">fits<").count(), 3, "the first one too");

    let checked = text(house.post("/journal/changes/verify", &viewer, "").await).await;
    let newest = house.store.changes(1, None).await.unwrap();
    assert!(
        checked.contains("Every hash fits") && checked.contains(&newest[0].sha256),
        "{checked}"
    );
    let export = text(house.get("/journal/changes/export", &viewer).await).await;
    let lines: Vec<Value> = export
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 103);
    assert_eq!(lines[0]["n"], 1);
    assert_eq!(lines[102]["sha256"], newest[0].sha256.as_str());
}

#[tokio::test]
async fn programs_read_the_record_in_pages_and_have_it_checked() {
    let house = House::new().await;
    let viewer = house.session_of(DashRole::Viewer).await;
    change(&house, 5).await;
    let mut seen = Vec::new();
    let mut path = "/api/v1/changes?limit=2".to_owned();
    loop {
        let page: Value =
            serde_json::from_str(&text(house.get(&path, &viewer).await).await).unwrap();
        for item in page["items"].as_array().unwrap() {
            seen.push(item["n"].as_u64().unwrap());
        }
        let Some(next) = page["next"].as_str() else {
            break;
        };
        path = format!("/api/v1/changes?limit=2&after={next}");
    }
    assert_eq!(seen, [5, 4, 3, 2, 1]);
    let checked = house.post("/api/v1/changes/verify", &viewer, "").await;
    let checked: Value = serde_json::from_str(&text(checked).await).unwrap();
    assert_eq!(
        (&checked["whole"], &checked["entries"]),
        (&true.into(), &5.into())
    );
}

async fn report(house: &House, kind: &str, body: &str) -> StatusCode {
    let request = request(Method::POST, "/csp-reports", "")
        .header(header::CONTENT_TYPE, kind)
        .header("sec-fetch-site", "same-origin");
    let request = request.body(Body::from(body.to_owned())).unwrap();
    house.send(request).await.status()
}

#[tokio::test]
async fn what_a_browser_kept_from_a_page_is_counted_and_not_repeated() {
    const OLD: &str = "application/csp-report";
    let house = House::new().await;
    let session = house.session().await;
    let page = house.get("/", &session).await;
    let policy = page.headers()[header::CONTENT_SECURITY_POLICY].to_str();
    assert!(policy.unwrap().ends_with("; report-uri /csp-reports"));
    let body = r#"{"csp-report":{"document-uri":"http://h/sign-in?token=secret","violated-directive":"style-src-attr","blocked-uri":"inline"}}"#;
    assert_eq!(report(&house, OLD, body).await, StatusCode::NO_CONTENT);
    let new = r#"[{"type":"csp-violation","body":{"documentURL":"http://h/","effectiveDirective":"img-src","blockedURL":"https://x/y"}}]"#;
    let kind = "application/reports+json; charset=utf-8";
    assert_eq!(report(&house, kind, new).await, StatusCode::NO_CONTENT);
    assert_eq!(report(&house, OLD, "[]").await, StatusCode::BAD_REQUEST);
    let long = format!("\"{}\"", "x".repeat(9_000));
    assert_eq!(
        report(&house, OLD, &long).await,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    for _ in 0..100 {
        report(&house, OLD, body).await;
    }
    assert_eq!(
        report(&house, OLD, body).await,
        StatusCode::TOO_MANY_REQUESTS
    );
    let figures = text(house.get("/metrics", "").await).await;
    let of = |name: &str| -> u64 {
        let line = figures.lines().find(|line| line.starts_with(name));
        line.unwrap().rsplit(' ').next().unwrap().parse().unwrap()
    };
    assert_eq!(of("portcullis_csp_violations_total"), 59);
    assert_eq!(of("portcullis_csp_reports_left_out_total"), 45);
    assert!(!figures.contains("secret") && !figures.contains("sign-in"));
}
