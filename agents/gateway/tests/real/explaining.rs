//! What is told of a request, by any id, for who asks why later.

use crate::support::{CLAW, LIMIT, Site, Whole, budget, chat, send, whole};
use http::HeaderValue;
use net_model::{AtEnd, Stage, Step, Story, Verdict};
use serde::Deserialize;
use std::time::Duration;
use tokio::time::{Instant, sleep};

#[derive(Deserialize)]
struct Told {
    told: Story,
}

fn stories(site: &Site) -> Vec<Story> {
    let spool = std::fs::read_dir(site.dir.path().join("spool")).unwrap();
    let files = spool
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|it| it == "jsonl"));
    let texts = files.map(|file| std::fs::read_to_string(file).unwrap());
    let lines: Vec<String> = texts
        .flat_map(|text| text.lines().map(ToOwned::to_owned).collect::<Vec<_>>())
        .collect();
    let told = lines
        .iter()
        .filter_map(|line| serde_json::from_str(line).ok());
    told.map(|Told { told }| told).collect()
}

/// Waits for the story of an answer, by the id in its header.
async fn story_of(site: &Site, answer: &Whole) -> Story {
    let id = answer.header("x-portcullis-request-id");
    assert!(!id.is_empty());
    let until = Instant::now() + LIMIT;
    loop {
        if let Some(story) = stories(site).into_iter().find(|story| story.id == id) {
            assert_eq!(story.clone().bounded(), Some(story.clone()));
            return story;
        }
        assert!(Instant::now() < until, "nothing is told of {id}");
        sleep(Duration::from_millis(3)).await;
    }
}

fn step(story: &Story, stage: Stage) -> &Step {
    let mut of = story.steps.iter().filter(|step| step.stage == stage);
    of.next().unwrap_or_else(|| panic!("{story:?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_of_no_route_is_explained_by_the_routes_its_consumer_has() {
    let site = Site::open().await;
    let body = r#"{"model":"unheard-of","messages":[]}"#;
    let answer = whole(send(site.addr(), chat(CLAW, body)).await).await;
    assert_eq!(answer.status, 404);
    let told = String::from_utf8_lossy(&answer.body);
    assert!(
        !told.contains("route"),
        "its client is told nothing of routes: {told}"
    );
    let story = story_of(&site, &answer).await;
    let why = step(&story, Stage::Policy);
    assert_eq!(
        (why.verdict, why.rule.as_deref()),
        (Verdict::PassedOver, Some("routes"))
    );
    assert!(why.text.starts_with("No route of `claw` ("), "{}", why.text);
}

const PLAIN: &str = r#"{"model":"steady","messages":[]}"#;
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

async fn post_as(site: &Site, key: &str, name: &str) -> Whole {
    let mut request = chat(key, PLAIN);
    let headers = request.headers_mut();
    headers.insert("x-request-id", HeaderValue::from_str(name).unwrap());
    let trace = format!("00-{TRACE}-00f067aa0ba902b7-01");
    headers.insert("traceparent", HeaderValue::from_str(&trace).unwrap());
    whole(send(site.addr(), request).await).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_cut_refuses_is_told_with_its_incident_and_by_every_name() {
    let site = Site::open().await;
    site.apply(2, &["all"]).await;
    let answer = post_as(&site, CLAW, "mine-1").await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.header("x-request-id"), "mine-1");
    let id = answer.header("x-portcullis-request-id");
    assert_eq!(answer.error("request_id"), id);
    let story = story_of(&site, &answer).await;
    assert_eq!(story.asked_as.as_ref().unwrap().as_str(), "mine-1");
    assert_eq!(story.trace.as_ref().unwrap().as_str(), TRACE);
    assert_eq!(story.consumer.as_ref().unwrap().as_str(), "claw");
    let latch = step(&story, Stage::Latch);
    assert_eq!(latch.verdict, Verdict::Refused);
    assert_eq!(latch.rule.as_deref(), Some("ALL"));
    assert_eq!(latch.incident.unwrap().get(), 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_no_key_gets_an_id_as_well() {
    let site = Site::open().await;
    let answer = site.post("pck_of_nobody", PLAIN).await;
    assert_eq!(answer.status, 401);
    let story = story_of(&site, &answer).await;
    assert_eq!(story.consumer, None);
    assert_eq!(step(&story, Stage::Identity).verdict, Verdict::Refused);
    assert!(!format!("{story:?}").contains("pck_of_nobody"));
    let answer = site.get(CLAW, "/v1/nothing").await;
    let story = story_of(&site, &answer).await;
    assert_eq!(step(&story, Stage::Request).verdict, Verdict::Refused);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_says_which_and_how_much_of_it_is_gone() {
    let site = Site::open_with_rules(budget(5, AtEnd::Hard)).await;
    let mut answer = site.post(CLAW, PLAIN).await;
    while answer.status == 200 {
        answer = site.post(CLAW, PLAIN).await;
    }
    assert_eq!(answer.status, 429);
    let story = story_of(&site, &answer).await;
    let told = step(&story, Stage::Budget);
    assert_eq!(told.rule.as_deref(), Some("claw-day"));
    assert!(told.text.contains("of 5 tokens"), "{}", told.text);
    assert_eq!(story.code.as_deref(), Some("budget_exceeded"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fallback_tells_who_failed_and_then_which_breaker_rests_for_how_long() {
    let site = Site::open_with_home("error500".parse().unwrap()).await;
    let answer = site.post(CLAW, PLAIN).await;
    assert_eq!(answer.status, 200);
    let story = story_of(&site, &answer).await;
    let failed = step(&story, Stage::Target);
    assert_eq!(failed.verdict, Verdict::PassedOver);
    assert_eq!(failed.target.as_ref().unwrap().as_str(), "home");
    assert!(failed.text.contains("status 500"), "{}", failed.text);
    let until = Instant::now() + LIMIT;
    let rested = loop {
        let answer = site.post(CLAW, PLAIN).await;
        if answer
            .header("x-portcullis-fallback")
            .contains("breaker open")
        {
            break story_of(&site, &answer).await;
        }
        assert!(Instant::now() < until);
    };
    let breaker = step(&rested, Stage::Breaker);
    assert_eq!(breaker.verdict, Verdict::PassedOver);
    let text = &breaker.text;
    assert!(
        text.contains("`home`") && text.contains("tries again in"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_cut_off_tells_by_what() {
    let site = Site::open().await;
    let stream = site.stream(CLAW, "slow").await;
    let id = stream.headers()["x-portcullis-request-id"].clone();
    assert_eq!(site.apply(2, &["llm"]).await, 1);
    let mut answer = whole(stream).await;
    answer.headers.insert("x-portcullis-request-id", id);
    let story = story_of(&site, &answer).await;
    let latch = step(&story, Stage::Latch);
    assert_eq!(
        (latch.verdict, latch.rule.as_deref()),
        (Verdict::CutOff, Some("LLM"))
    );
    assert_eq!(site.until_spooled(1).await[0].id, story.id);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_target_is_told_the_name_and_a_plain_answer_leaves_no_story() {
    let site = Site::open().await;
    let plain = site.post(CLAW, PLAIN).await;
    let own = plain.header("x-portcullis-request-id").to_owned();
    assert_eq!(plain.header("x-request-id"), own);
    let named = post_as(&site, CLAW, "mine-2").await;
    assert_eq!(named.header("x-request-id"), "mine-2");
    let odd = post_as(&site, CLAW, "two words").await;
    let odd_id = odd.header("x-portcullis-request-id");
    assert_eq!(odd.header("x-request-id"), odd_id);
    let served = site.home.ended(3, LIMIT).await;
    let told: Vec<&str> = served
        .iter()
        .flat_map(|served| &served.headers)
        .filter(|(name, _)| name == "x-request-id")
        .map(|(_, value)| value.as_str())
        .collect();
    assert_eq!(told, [own.as_str(), "mine-2", odd_id]);
    story_of(&site, &named).await;
    site.until_spooled(3).await;
    assert!(stories(&site).iter().all(|story| story.id != own));
}
