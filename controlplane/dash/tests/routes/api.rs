//! What programs rely on: problems for every error, the document, explanations, the feed of events, the acts.

use crate::house::{House, request, text};
use axum::body::Body;
use axum::http::{Method, Response, StatusCode, header};
use http_body_util::BodyExt as _;
use kill_wire::{LeverReply, LeverRequest};
use net_model::DashRole;
use serde_json::{Value, json};
use store::Cursor;

async fn read(answer: Response<Body>) -> Value {
    serde_json::from_str(&text(answer).await).unwrap()
}

async fn post(house: &House, path: &str, cookie: &str, kind: &str, body: String) -> Response<Body> {
    let request = request(Method::POST, path, cookie).header(header::CONTENT_TYPE, kind);
    house.send(request.body(Body::from(body)).unwrap()).await
}

#[tokio::test]
async fn every_error_is_a_problem_whoever_makes_it() {
    let house = House::new().await;
    let session = house.session_of(DashRole::Admin).await;
    let (json, cut) = ("application/json", "/api/v1/cut");
    let long = format!("{{\"scope\":\"{}\"}}", "x".repeat(20_000));
    let answers = [
        (404, house.get("/api/v1/nothing", &session).await),
        (404, house.get("/api/nothing", "").await),
        (404, house.get("/api/v1/explain/b-404", &session).await),
        (405, house.post("/api/v1/state", &session, "").await),
        (401, house.get("/api/v1/state", "").await),
        (
            400,
            house.get("/api/v1/incidents?limit=many", &session).await,
        ),
        (400, house.get("/api/v1/events?after=7", &session).await),
        (400, post(&house, cut, &session, json, "{".to_owned()).await),
        (413, post(&house, cut, &session, json, long).await),
        (
            415,
            post(&house, cut, &session, "text/plain", "ALL".to_owned()).await,
        ),
        (
            422,
            post(&house, cut, &session, json, "{}".to_owned()).await,
        ),
        (
            422,
            post(
                &house,
                cut,
                &session,
                json,
                r#"{"scope":"a b c"}"#.to_owned(),
            )
            .await,
        ),
    ];
    for (status, answer) in answers {
        assert_eq!(answer.status(), status);
        assert_eq!(
            answer.headers()[header::CONTENT_TYPE],
            "application/problem+json"
        );
        let problem = read(answer).await;
        assert_eq!(problem["status"], status);
        for member in ["type", "title", "detail", "code"] {
            assert!(!problem[member].as_str().unwrap().is_empty(), "{problem}");
        }
    }
    let page = house.get("/nothing", &session).await;
    assert_eq!(page.status(), StatusCode::NOT_FOUND);
    assert!(!page.headers().contains_key(header::CONTENT_TYPE));
    assert!(house.was_asked().is_empty());
}

#[tokio::test]
async fn the_document_is_open_to_anyone_and_names_the_roles() {
    let house = House::new().await;
    let document = read(house.get("/api/v1/openapi.json", "").await).await;
    assert_eq!(document["openapi"], "3.1.0");
    let paths = &document["paths"];
    assert_eq!(
        paths["/api/v1/cut"]["post"]["x-portcullis-role"],
        "operator"
    );
    assert_eq!(
        paths["/api/v1/restore"]["post"]["x-portcullis-role"],
        "admin"
    );
}

#[tokio::test]
async fn a_cut_and_a_restore_say_what_the_forms_say() {
    let house = House::new().await;
    let session = house.session_of(DashRole::Admin).await;
    let restored = LeverReply::Restored {
        scope: kill_wire::Scope::Llm,
        incident: kill_wire::Incident::FIRST,
        remaining: kill_wire::LatchSet::default(),
        text: "RESTORED LLM".to_owned(),
    };
    house.answer_with(restored);
    let body = json!({ "scope": "llm", "code": " 12345678 " }).to_string();
    let answer = post(
        &house,
        "/api/v1/restore",
        &session,
        "application/json",
        body,
    )
    .await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(read(answer).await["incident"], 1);
    let asked = house.was_asked();
    assert!(
        matches!(&asked[..], [LeverRequest::Restore { code, .. }] if code == "12345678"),
        "{asked:?}"
    );
    let body = json!({ "scope": "ALL", "why": "looks\u{7} odd" }).to_string();
    let answer = post(&house, "/api/v1/cut", &session, "application/json", body).await;
    assert!(
        !answer.status().is_success(),
        "the double has nothing to say"
    );
    let asked = house.was_asked();
    assert!(
        matches!(&asked[1], LeverRequest::Cut { why, .. } if why.ends_with("looks odd")),
        "{asked:?}"
    );
}

fn story(id: &str) -> net_model::Story {
    let text = format!(
        r#"{{"id":"{id}","at":1795000000000,"asked_as":"mine/1","consumer":"claw","status":429,"code":"budget_exceeded","took_ms":2,
          "steps":[{{"after_ms":2,"stage":"budget","verdict":"refused","rule":"claw-day","text":"The budget <b>`claw-day`</b> is gone."}}]}}"#
    );
    serde_json::from_str(&text).unwrap()
}

#[tokio::test]
async fn a_request_is_explained_on_its_page_and_to_programs() {
    let house = House::new().await;
    let session = house.session_of(DashRole::Viewer).await;
    let stories = [story("b-1"), story("b-2")];
    house
        .store
        .ingest_told(&[], &stories, &Cursor::default())
        .await
        .unwrap();
    let page = text(house.get("/explain/b-1", &session).await).await;
    assert!(page.contains("claw-day") && !page.contains("<b>"), "{page}");
    let form = house.get("/explain?id=mine/1", &session).await;
    assert_eq!(form.headers()[header::LOCATION], "/explain/mine%2F1");
    let found = house.get("/explain/mine%2F1", &session).await;
    assert_eq!(found.status(), StatusCode::OK);
    assert_eq!(
        house.get("/explain/b-9", &session).await.status(),
        StatusCode::NOT_FOUND
    );
    let list = text(house.get("/explain", &session).await).await;
    assert!(list.contains("/explain/b-2"));
    let one = read(house.get("/api/v1/explain/b-1", &session).await).await;
    assert_eq!(one["steps"].as_array().unwrap().len(), 8);
    let many = read(house.get("/api/v1/explain?limit=1", &session).await).await;
    assert_eq!(many["items"][0]["id"], "b-2");
    // Both were told of in the same millisecond.
    let next = many["next"].as_str().unwrap();
    let rest = format!("/api/v1/explain?limit=1&after={next}");
    let rest = read(house.get(&rest, &session).await).await;
    assert_eq!(rest["items"][0]["id"], "b-1");
    assert_eq!(rest["items"].as_array().unwrap().len(), 1);
    assert!(rest["next"].is_null());
    let wrong = house.get("/api/v1/explain?after=b-1", &session).await;
    assert_eq!(wrong.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_list_of_what_was_told_goes_back_to_its_first_request() {
    let house = House::new().await;
    let session = house.session_of(DashRole::Viewer).await;
    let stories: Vec<_> = (100..170).map(|n| story(&format!("b-{n}"))).collect();
    house
        .store
        .ingest_told(&[], &stories, &Cursor::default())
        .await
        .unwrap();
    let first = text(house.get("/explain", &session).await).await;
    assert!(first.contains("/explain/b-169") && !first.contains("/explain/b-119"));
    let older = "/explain?before=1795000000000.b-120";
    assert!(first.contains(&format!("href=\"{older}\"")), "{first}");
    let second = text(house.get(older, &session).await).await;
    assert!(second.contains("/explain/b-119") && second.contains("/explain/b-100"));
    assert!(!second.contains("/explain/b-120") && !second.contains(">Older<"));
}

#[tokio::test]
async fn the_feed_goes_on_where_a_program_stopped() {
    let mut snapshot = crate::house::snapshot();
    snapshot.incidents = vec![crate::house::incident()];
    let house = House::showing(snapshot).await;
    let session = house.session_of(DashRole::Viewer).await;
    let first = async |path: &str, wait: u64| {
        let answer = house.get(path, &session).await;
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/event-stream");
        let mut body = answer.into_body();
        let mut heard = String::new();
        while !heard.contains("event: ") {
            let wait = std::time::Duration::from_millis(wait);
            let Ok(Some(frame)) = tokio::time::timeout(wait, body.frame()).await else {
                break;
            };
            heard.push_str(std::str::from_utf8(frame.unwrap().data_ref().unwrap()).unwrap());
        }
        heard
    };
    let all = first("/api/v1/events?after=0000000000000-", 10_000).await;
    assert!(all.contains("event: cut"), "{all}");
    let id = all
        .lines()
        .find_map(|line| line.strip_prefix("id: "))
        .unwrap();
    let rest = first(&format!("/api/v1/events?after={id}"), 300).await;
    assert!(!rest.contains(id), "{rest}");
}
