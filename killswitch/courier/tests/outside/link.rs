//! The connection to the kill switch: late, lost, garbled.

use crate::provider::{Given, Provider};
use crate::switch::{Running, Switch};
use kill_wire::{FromCourier, ToCourier};
use serde_json::json;
use std::path::Path;

/// Telegram with one text that waits for ever.
fn telegram(folder: &Path) -> (Provider, Running) {
    let update =
        json!({ "update_id": 3, "message": { "chat": { "id": 9 }, "text": "KILL 12345678" } });
    let answer = json!({ "ok": true, "result": [update] });
    let provider = Provider::serve(move |asked, _| {
        if asked.json()["offset"] == 4 {
            Given::Silence
        } else {
            Given::json(&answer)
        }
    });
    let values = [("api_url", provider.url.as_str())];
    let courier = Running::start(folder, "telegram", "1:abc", &values);
    (provider, courier)
}

fn heard(switch: &Switch, times: usize) {
    switch.wait(|heard| {
        let texts = heard
            .iter()
            .filter(|m| matches!(m, FromCourier::Text { .. }));
        (texts.count() >= times).then_some(())
    });
}

#[test]
fn a_text_waits_for_a_kill_switch_that_starts_later() {
    let folder = tempfile::tempdir().unwrap();
    let (provider, _courier) = telegram(folder.path());
    provider.wait_for(1);
    let switch = Switch::listen(folder.path());
    switch.texts(&["3"]);
    provider.wait(|asked| asked.json()["offset"] == 4);
}

#[test]
fn what_was_not_taken_is_offered_again_after_every_lost_connection() {
    let folder = tempfile::tempdir().unwrap();
    let switch = Switch::listen(folder.path());
    switch.deaf(true);
    let (provider, _courier) = telegram(folder.path());
    heard(&switch, 1);
    switch.hang_up();
    heard(&switch, 2);
    // What is not understood ends the connection, too; so does a line without end.
    switch.say_raw(b"{\"is\":\"nonsense\"}\n");
    heard(&switch, 3);
    switch.say_raw(&vec![b'x'; kill_wire::MAX_COURIER_LINE + 1]);
    heard(&switch, 4);
    assert_eq!(provider.asked().len(), 1);
    let (channel, id) = ("phone".to_owned(), "3".to_owned());
    switch.say(&ToCourier::Taken { channel, id });
    provider.wait(|asked| asked.json()["offset"] == 4);
}

#[test]
fn health_is_said_after_every_connection() {
    let folder = tempfile::tempdir().unwrap();
    let switch = Switch::listen(folder.path());
    let (_provider, _courier) = telegram(folder.path());
    let told = |times: usize| {
        switch.wait(|heard| {
            let of = |m: &&FromCourier| matches!(m, FromCourier::Health { problem: None, .. });
            (heard.iter().filter(of).count() >= times).then_some(())
        });
    };
    told(1);
    switch.hang_up();
    told(2);
}
