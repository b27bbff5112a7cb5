//! What was told of requests: found by each of its ids, told once, kept for a while.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use kill_wire::Timestamp;
use net_model::{Alias, Story};
use store::{Cursor, Store, StoryMark};

fn at(ms: u64) -> Timestamp {
    Timestamp::from_millis(ms)
}

fn alias(text: &str) -> Alias {
    text.parse().unwrap()
}

fn story(id: &str, at: u64) -> Story {
    let text = format!(
        r#"{{"id":"{id}","at":{at},"asked_as":"mine","trace":"4bf92f3577b34da6a3ce929d0e0e4736","status":503,"code":"cut","took_ms":2,
          "steps":[{{"after_ms":2,"stage":"latch","verdict":"refused","rule":"ALL","incident":7,"text":"Cut."}}]}}"#
    );
    serde_json::from_str(&text).unwrap()
}

async fn store(dir: &tempfile::TempDir) -> Store {
    Store::open(&dir.path().join("portcullis.db"))
        .await
        .unwrap()
}

#[tokio::test]
async fn a_request_is_found_by_each_of_its_ids_and_told_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(&dir).await;
    let cursor = Cursor { file: 1, offset: 9 };
    let stories = [story("b-1", 5), story("b-2", 6)];
    for _ in 0..2 {
        store.ingest_told(&[], &stories, &cursor).await.unwrap();
    }
    let own = store.explain(&alias("b-1")).await.unwrap().unwrap();
    assert_eq!((own.id.as_str(), own.summary.as_str()), ("b-1", "Cut."));
    assert!(own.others.is_empty() && own.usage.is_none());
    for name in ["mine", "4bf92f3577b34da6a3ce929d0e0e4736"] {
        let found = store.explain(&alias(name)).await.unwrap().unwrap();
        assert_eq!(found.id, "b-2", "the newest of them");
        assert_eq!(found.others, ["b-1"]);
    }
    assert_eq!(store.explain(&alias("b-3")).await.unwrap(), None);
    assert_eq!(store.stories(None, 10).await.unwrap().len(), 2);
}

#[tokio::test]
async fn of_stories_of_one_instant_no_page_leaves_one_out() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(&dir).await;
    let at_once = (0..7).map(|n| story(&format!("b-{n}"), 5));
    let stories: Vec<Story> = at_once.chain([story("a-1", 4), story("c-1", 6)]).collect();
    store
        .ingest_told(&[], &stories, &Cursor::default())
        .await
        .unwrap();
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = store.stories(after.as_ref(), 2).await.unwrap();
        let Some(last) = page.last() else {
            break;
        };
        after = Some(StoryMark {
            at: last.at,
            id: last.id.clone(),
        });
        seen.extend(page.into_iter().map(|story| story.id));
    }
    let wanted = [
        "c-1", "b-6", "b-5", "b-4", "b-3", "b-2", "b-1", "b-0", "a-1",
    ];
    assert_eq!(seen, wanted);
}

#[tokio::test]
async fn what_is_only_in_the_ledger_is_explained_from_there() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(&dir).await;
    let usage = r#"{"id":"b-9","at":5000,"consumer":"claw","route":"chat","target":"away","class":"cloud","model":"m","stream":true,"status":200,"prompt_tokens":12,"completion_tokens":2,"estimated":false,"took_ms":3000,"ended":"cut","incident":7,"api":"anthropic.messages","cost":15,"fell_back_from":"home","first_byte_ms":100}"#;
    let usage = serde_json::from_str(usage).unwrap();
    store
        .ingest(std::slice::from_ref(&usage), &Cursor::default())
        .await
        .unwrap();
    let found = store.explain(&alias("b-9")).await.unwrap().unwrap();
    assert_eq!(found.usage, Some(usage));
    assert!(found.summary.contains("#7"), "{}", found.summary);
}

#[tokio::test]
async fn old_stories_go_and_so_do_the_oldest_of_too_many() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(&dir).await;
    let stories: Vec<Story> = (1..=9).map(|n| story(&format!("b-{n}"), n)).collect();
    store
        .ingest_told(&[], &stories, &Cursor::default())
        .await
        .unwrap();
    assert_eq!(store.purge_stories(at(3), 100).await.unwrap(), 2);
    assert_eq!(store.purge_stories(at(3), 4).await.unwrap(), 3);
    let left = store.stories(None, 100).await.unwrap();
    assert_eq!(left.last().unwrap().id, "b-6");
}
