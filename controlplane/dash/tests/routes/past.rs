//! Incidents and the journal, read off the kill switch's file.

use crate::house::{House, incident, text};
use axum::http::{StatusCode, header};
use kill_wire::{LeverReply, Timestamp};
use serde_json::{Value, json};

fn line(n: u64, event: Value) -> String {
    let at = Timestamp::from_millis(1_795_000_000_000 + n * 1000);
    let entry = json!({ "n": n, "time": "x", "at": at, "event": event, "prev": "", "hash": "ab" });
    format!("{entry}\n")
}

pub(crate) fn cut(n: u64, incident: u32) -> String {
    line(
        n,
        json!({ "is": "cut", "incident": incident, "scope": "LLM", "by": "owner", "via": "twilio", "why": "it <loops>", "repeated": false, "late": false }),
    )
}

pub(crate) fn proved(n: u64, incident: u32) -> String {
    line(
        n,
        json!({ "is": "proved", "incident": incident, "outcome": "cut", "streams": 3, "severed_ms": 21, "proven_ms": 84,
            "proof": { "routes_blocked": 1, "routes": 1, "probes_dead": 2, "probes": 2, "unproven": 0, "still_open": [] } }),
    )
}

pub(crate) fn feigned(n: u64) -> String {
    line(
        n,
        json!({ "is": "feigned", "scope": "LLM", "by": "zoltan", "via": "twilio" }),
    )
}

pub(crate) fn restored(n: u64, incident: u32) -> String {
    line(
        n,
        json!({ "is": "restored", "incident": incident, "scope": "LLM", "by": "ben", "via": "dashboard" }),
    )
}

#[tokio::test]
async fn an_incident_is_told_from_its_message_to_its_proof() {
    let house = House::new().await;
    let session = house.session().await;
    house.write_journal(&[cut(1, 1), proved(2, 1), restored(3, 1), cut(4, 2)].concat());
    let list = text(house.get("/incidents", &session).await).await;
    for words in [
        "2 so far",
        "/incidents/1",
        "still cut",
        "it &#60;loops&#62;",
        "by ben (dashboard)",
    ] {
        assert!(list.contains(words), "`{words}`: {list}");
    }
    let one = text(house.get("/incidents/1", &session).await).await;
    for words in [
        "Incident #1: LLM",
        "closed within 21 ms, proven within 84 ms; 3 streams ended",
        "Proven",
        "by owner (twilio): it &#60;loops&#62;",
        "Restored: LLM",
    ] {
        assert!(one.contains(words), "`{words}`: {one}");
    }
    for path in [
        "/incidents/3",
        "/incidents/none",
        "/incidents/99999999999999",
    ] {
        let answer = house.get(path, &session).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn lists_are_paged_and_a_feigned_restore_stands_in_the_export_alone() {
    let house = House::new().await;
    let session = house.session().await;
    let mut lines: Vec<String> = (1..=120).map(|n| cut(u64::from(n), n)).collect();
    lines.push(feigned(121));
    let file = lines.concat();
    house.write_journal(&file);
    let first = text(house.get("/incidents", &session).await).await;
    assert!(
        first.contains("/incidents?before=71") && first.contains(">#120<"),
        "{first}"
    );
    let second = text(house.get("/incidents?before=71", &session).await).await;
    assert!(second.contains(">#70<") && !second.contains(">#71<"));

    let journal = text(house.get("/journal", &session).await).await;
    assert!(
        journal.contains("121 entries") && journal.contains("/journal?before=22"),
        "{journal}"
    );
    assert!(
        !journal.contains("zoltan"),
        "whoever was forced may be watched"
    );
    let older = text(house.get("/journal?before=22", &session).await).await;
    assert!(older.contains("entry 21") && !older.contains("entry 22"));

    let export = house.get("/journal/export", &session).await;
    let name = export.headers()[header::CONTENT_DISPOSITION]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(name.contains("portcullis-journal.jsonl"), "{name}");
    assert_eq!(text(export).await, file);
}

#[tokio::test]
async fn the_chain_is_checked_where_it_is_asked_for() {
    let house = House::new().await;
    let session = house.session().await;
    house.write_journal(&[cut(1, 1), cut(2, 2)].concat());
    let good = text(house.post("/journal/verify", &session, "").await).await;
    assert!(
        good.contains("Every hash fits") && good.contains("2 entries, last hash ab12"),
        "{good}"
    );
    house.write_journal("forged\n");
    let bad = text(house.post("/journal/verify", &session, "").await).await;
    assert!(
        bad.contains("The chain does not hold") && bad.contains("line 2"),
        "{bad}"
    );
}

#[tokio::test]
async fn without_the_file_the_kill_switch_is_asked_and_the_page_says_so() {
    let house = House::new().await;
    let session = house.session().await;
    let incidents = vec![incident()];
    house.answer_with(LeverReply::Incidents {
        incidents: incidents.clone(),
    });
    let list = text(house.get("/incidents", &session).await).await;
    assert!(
        list.contains("cannot be read here") && list.contains("/incidents/1"),
        "{list}"
    );
    house.answer_with(LeverReply::Incidents { incidents });
    let one = text(house.get("/incidents/1", &session).await).await;
    assert!(one.contains("runaway"), "{one}");
    let export = house.get("/journal/export", &session).await;
    assert_eq!(export.status(), StatusCode::SERVICE_UNAVAILABLE);
}
