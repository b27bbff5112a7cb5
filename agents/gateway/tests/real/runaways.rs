//! A consumer that runs away is said, slowed down or closed; one that is merely busy is not.

use crate::support::*;
use net_model::{Reaction, Remark, RemarkKind, Rules, RunawayRules, TripKind};
use serde_json::json;
use std::time::Duration;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

/// What may happen before a loop of short prompts must have been found: eight asks, and some room.
const MANY: usize = 12;

fn rules(repeats: Reaction) -> Rules {
    Rules {
        runaway: RunawayRules {
            repeats,
            ..RunawayRules::default()
        },
        ..Rules::default()
    }
}

fn prompt(model: &str, messages: &serde_json::Value) -> String {
    json!({"model": model, "max_tokens": 2, "messages": messages}).to_string()
}

/// Asks the same until it is refused; how often it was answered before, and the refusal.
async fn loop_until_refused(site: &Site, key: &str, model: &str) -> (usize, Whole) {
    let same = json!([{"role": "user", "content": "Try again."}]);
    for answered in 0..MANY {
        let answer = site.post(key, prompt(model, &same)).await;
        if answer.status != 200 {
            return (answered, answer);
        }
    }
    panic!("{MANY} identical prompts in a row were answered");
}

/// The first remark in the spool, which the control plane would read.
async fn until_remarked(site: &Site) -> Remark {
    let until = Instant::now() + LIMIT;
    loop {
        let files = std::fs::read_dir(site.dir.path().join("spool/remarks")).unwrap();
        let mut files = files.map(|file| file.unwrap().path());
        if let Some(file) = files.find(|file| file.extension().is_some_and(|it| it == "json")) {
            return serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        }
        assert!(Instant::now() < until, "no remark was written in time");
        sleep(Duration::from_millis(3)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loop_trips_its_consumer_alone_with_the_figures_that_decided() {
    let site = Site::open_with_rules(rules(Reaction::Trip)).await;
    let running = site.stream(CLAW, "slow").await;
    let (answered, refusal) = loop_until_refused(&site, CLAW, "steady").await;
    assert_eq!(refusal.status, 503);
    // An answer counts when its last byte has left the gateway, which may be after its client has asked again.
    assert!((7..=8).contains(&answered), "{answered}");
    let message = refusal.error("message").to_string();
    let figures = format!("claw: {} identical prompts in ", answered + 1);
    assert!(message.contains(&figures), "{message}");
    // What was under way is cut off with the same words.
    let cut = whole(running).await;
    let last = events(&cut.body).pop().unwrap();
    assert_eq!(last["error"]["code"], "tripped", "{last}");
    let trips = site.observed().await.trips;
    assert_eq!(trips.len(), 1, "{trips:?}");
    assert_eq!(trips[0].kind, TripKind::Repeats);
    assert_eq!(trips[0].scope.to_string(), "claw");
    // Another prompt does not help; another consumer goes on.
    let other = json!([{"role": "user", "content": "Something else."}]);
    assert_eq!(site.post(CLAW, prompt("steady", &other)).await.status, 503);
    assert_eq!(site.post(RAG, prompt("steady", &other)).await.status, 200);
    site.gateway.drain(Duration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttled_consumer_is_told_when_to_ask_again_and_then_answered() {
    let site = Site::open_with_rules(rules(Reaction::Throttle)).await;
    let (_, first) = loop_until_refused(&site, CLAW, "steady").await;
    assert_eq!(first.status, 429);
    let message = first.error("message").to_string();
    assert!(message.contains("identical prompts in "), "{message}");
    let wait: u64 = first.header("retry-after").parse().unwrap();
    assert!((1..=5).contains(&wait), "{wait}");
    sleep(Duration::from_secs(wait)).await;
    let other = json!([{"role": "user", "content": "Something else."}]);
    assert_eq!(site.post(CLAW, prompt("steady", &other)).await.status, 200);
    let again = site.post(CLAW, prompt("steady", &other)).await;
    assert_eq!(again.status, 429);
    assert_eq!(again.code(), "runaway_throttled");
    let remark = until_remarked(&site).await;
    assert_eq!(remark.kind, RemarkKind::Throttle);
    assert!(
        remark.text.ends_with("; slowed down for a while"),
        "{remark:?}"
    );
    assert!(site.observed().await.trips.is_empty());
    site.gateway.drain(Duration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_is_a_figure_and_refuses_nothing() {
    let site = Site::open_with_rules(Rules::default()).await;
    let same = json!([{"role": "user", "content": "Try again."}]);
    for _ in 0..MANY {
        assert_eq!(site.post(CLAW, prompt("steady", &same)).await.status, 200);
    }
    let figures = site.metrics().await;
    let line =
        r#"portcullis_gateway_runaways_total{consumer="claw",kind="repeats",reaction="alert"} 1"#;
    assert!(figures.contains(line), "{figures}");
    let remark = until_remarked(&site).await;
    let consumer = remark.consumer.as_ref().map(|name| name.as_str());
    assert_eq!((remark.kind, consumer), (RemarkKind::Alert, Some("claw")));
    assert!(remark.text.contains("identical prompts in "), "{remark:?}");
    assert!(site.observed().await.trips.is_empty());
    site.gateway.drain(Duration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_and_samples_of_one_prompt_trip_nothing() {
    let every = Rules {
        runaway: RunawayRules {
            spike: Reaction::Trip,
            repeats: Reaction::Trip,
            errors: Reaction::Trip,
            storm: Reaction::Trip,
        },
        ..Rules::default()
    };
    let site = Site::open_with_rules(every).await;
    let mut talk = vec![json!({"role": "user", "content": "Hello."})];
    for turn in 0..2 * MANY {
        let answer = site.post(CLAW, prompt("steady", &json!(talk))).await;
        assert_eq!(answer.status, 200, "{turn}: {:?}", answer.body);
        talk.push(json!({"role": "assistant", "content": format!("Answer {turn}.")}));
        talk.push(json!({"role": "user", "content": "And then?"}));
    }
    let same = prompt("steady", &json!([{"role": "user", "content": "Draw one."}]));
    let mut samples = JoinSet::new();
    for _ in 0..2 * MANY {
        let request = chat(CLAW, same.clone());
        samples.spawn(send(site.addr(), request));
    }
    while let Some(answer) = samples.join_next().await {
        assert_eq!(answer.unwrap().status(), 200);
    }
    site.gateway.drain(Duration::ZERO).await;
}
