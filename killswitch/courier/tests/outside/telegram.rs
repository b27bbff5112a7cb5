//! `getUpdates` as <https://core.telegram.org/bots/api#getupdates> describes it: an update is given again until one asks
//! with an offset above its id.

use crate::provider::{Asked, Given, Provider};
use crate::switch::{Running, Switch};
use kill_wire::ToCourier;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const TOKEN: &str = "123456:SECRET-token_of_the_bot";

/// Updates that wait at Telegram.
type Waiting = Arc<Mutex<Vec<Value>>>;

fn text(update: i64, chat: i64, text: &str) -> Value {
    json!({ "update_id": update, "message": {
        "message_id": update, "date": 1, "from": { "id": 7, "is_bot": false, "first_name": "A" },
        "chat": { "id": chat, "type": "private" }, "text": text,
    } })
}

/// Forgets what was confirmed; an empty answer takes a moment, as a long poll does.
fn telegram(waiting: &Waiting) -> impl Fn(&Asked, usize) -> Given + Send + Sync + 'static {
    let waiting = Arc::clone(waiting);
    move |asked, _| {
        assert_eq!(asked.path, format!("/bot{TOKEN}/getUpdates"));
        let offset = asked.json()["offset"].as_i64().unwrap_or(0);
        let mut waiting = waiting.lock().unwrap();
        waiting.retain(|update| update["update_id"].as_i64().unwrap() >= offset);
        let given = json!({ "ok": true, "result": *waiting });
        let empty = waiting.is_empty();
        drop(waiting);
        if empty {
            std::thread::sleep(Duration::from_millis(20));
        }
        Given::json(&given)
    }
}

fn start(folder: &std::path::Path, url: &str, chats: &str) -> Running {
    let values = [("api_url", url), ("chats", chats)];
    Running::start(folder, "telegram", TOKEN, &values)
}

#[test]
fn a_text_is_confirmed_only_when_it_was_taken_and_comes_again_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let waiting = Waiting::default();
    waiting.lock().unwrap().push(text(41, 99, "KILL 12345678"));
    let provider = Provider::serve(telegram(&waiting));
    let switch = Switch::listen(folder.path());
    switch.deaf(true);
    let courier = start(folder.path(), &provider.url, "");
    let expected = ("41".to_owned(), "99".to_owned(), "KILL 12345678".to_owned());
    assert_eq!(switch.texts(&["41"]).first(), Some(&expected));
    drop(courier);
    assert!(
        provider
            .asked()
            .iter()
            .all(|asked| asked.json()["offset"].is_null())
    );

    switch.deaf(false);
    let _courier = start(folder.path(), &provider.url, "");
    let confirmed = provider.wait(|asked| asked.json()["offset"] == 42);
    assert_eq!(confirmed.json()["allowed_updates"], json!(["message"]));
    assert_eq!(confirmed.json()["timeout"], 50);
    let again = switch.all_texts();
    assert!(again.len() >= 2 && again.iter().all(|text| *text == expected));
    switch.problem("");
}

#[test]
fn a_text_that_is_decided_slowly_holds_up_no_other_and_is_confirmed_in_its_turn() {
    let folder = tempfile::tempdir().unwrap();
    let waiting = Waiting::default();
    waiting.lock().unwrap().push(text(1, 99, "STATUS"));
    let provider = Provider::serve(telegram(&waiting));
    let switch = Switch::listen(folder.path());
    switch.deaf(true);
    let _courier = start(folder.path(), &provider.url, "");
    switch.texts(&["1"]);
    switch.deaf(false);
    waiting.lock().unwrap().push(text(2, 99, "KILL 12345678"));
    switch.texts(&["2"]);
    assert!(
        provider
            .asked()
            .iter()
            .all(|asked| asked.json()["offset"].is_null())
    );
    let (channel, id) = ("phone".to_owned(), "1".to_owned());
    switch.say(&ToCourier::Taken { channel, id });
    provider.wait(|asked| asked.json()["offset"] == 3);
    assert_eq!(switch.all_texts().len(), 2);
}

#[test]
fn only_the_named_chats_are_listened_to_and_what_is_no_text_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let waiting = Waiting::default();
    waiting.lock().unwrap().extend([
        text(1, 5, "from a stranger"),
        json!({ "update_id": 2, "message": { "chat": { "id": 99 }, "photo": [] } }),
        json!({ "update_id": 3, "edited_message": { "chat": { "id": 99 }, "text": "no" } }),
        text(4, -1_001_234, "from the group"),
    ]);
    let provider = Provider::serve(telegram(&waiting));
    let switch = Switch::listen(folder.path());
    let _courier = start(folder.path(), &provider.url, "99, -1001234");
    provider.wait(|asked| asked.json()["offset"] == 5);
    let expected = (
        "4".to_owned(),
        "-1001234".to_owned(),
        "from the group".to_owned(),
    );
    assert_eq!(switch.all_texts(), [expected]);
}

#[test]
fn a_refusal_garbage_and_a_wait_are_told_without_the_token_and_overcome() {
    let folder = tempfile::tempdir().unwrap();
    let waiting = Waiting::default();
    waiting.lock().unwrap().push(text(8, 99, "STATUS"));
    let usual = telegram(&waiting);
    let provider = Provider::serve(move |asked, before| match before {
        0 => Given::Answer(200, Vec::new(), "<html>".to_owned()),
        1 => Given::Answer(
            429,
            Vec::new(),
            json!({ "ok": false, "parameters": { "retry_after": 1 } }).to_string(),
        ),
        2 => Given::Answer(
            401,
            Vec::new(),
            json!({ "ok": false, "description": TOKEN }).to_string(),
        ),
        3 => Given::End,
        _ => usual(asked, before),
    });
    let switch = Switch::listen(folder.path());
    let _courier = start(folder.path(), &provider.url, "");
    switch.problem("not understood");
    switch.problem("slow down (429)");
    switch.problem("credentials (401)");
    switch.problem("cannot be reached");
    switch.texts(&["8"]);
    switch.problem("");
    assert!(!switch.told().contains("SECRET"), "{}", switch.told());
}
