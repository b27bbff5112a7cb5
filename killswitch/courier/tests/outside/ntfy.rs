//! Subscribing as <https://docs.ntfy.sh/subscribe/api/> describes it: JSON lines that never end, the kept ones first.

use crate::provider::{Given, Provider, lines};
use crate::switch::{Running, Switch};
use serde_json::json;
use std::sync::Mutex;
use std::sync::mpsc::Receiver;

fn message(id: &str, text: &str) -> String {
    json!({ "id": id, "time": 1, "expires": 2, "event": "message", "topic": "kill", "message": text })
        .to_string()
}

/// Gives one stream after the other.
fn streams(streams: Vec<Receiver<String>>) -> Provider {
    let streams = Mutex::new(streams.into_iter());
    Provider::serve(move |_, _| {
        let next = streams.lock().unwrap().next();
        next.map_or(Given::Silence, Given::Lines)
    })
}

fn start(folder: &std::path::Path, url: &str, secret: &str) -> Running {
    let values = [("server", url), ("topic", "kill")];
    Running::start(folder, "ntfy", secret, &values)
}

#[test]
fn a_lost_stream_is_asked_for_again_from_the_last_text_that_was_taken() {
    let folder = tempfile::tempdir().unwrap();
    let (first, first_end) = lines();
    let (second, second_end) = lines();
    let provider = streams(vec![first_end, second_end]);
    let switch = Switch::listen(folder.path());
    let _courier = start(folder.path(), &provider.url, "tk_secret");
    let asked = provider.wait_for(1);
    assert_eq!(
        (
            asked.method.as_str(),
            asked.path.as_str(),
            asked.header("authorization")
        ),
        ("GET", "/kill/json?since=all", "Bearer tk_secret")
    );
    first
        .send(r#"{"id":"o","time":1,"event":"open","topic":"kill"}"#.to_owned())
        .unwrap();
    first.send(message("aaa1", "KILL 12345678")).unwrap();
    first
        .send(r#"{"id":"k","time":1,"event":"keepalive","topic":"kill"}"#.to_owned())
        .unwrap();
    switch.texts(&["aaa1"]);
    first.send(message("aaa2", "STATUS")).unwrap();
    let expected = [
        (
            "aaa1".to_owned(),
            "phone".to_owned(),
            "KILL 12345678".to_owned(),
        ),
        ("aaa2".to_owned(), "phone".to_owned(), "STATUS".to_owned()),
    ];
    assert_eq!(switch.texts(&["aaa2"]), expected);
    drop(first);
    switch.problem("ended the stream");
    let asked = provider.wait_for(2);
    // The last acknowledgement may have come while the stream broke.
    assert!(asked.path == "/kill/json?since=aaa2" || asked.path == "/kill/json?since=aaa1");
    second.send(message("aaa3", "KILL 87654321")).unwrap();
    switch.texts(&["aaa3"]);
    switch.problem("");
}

#[test]
fn what_was_not_taken_is_asked_for_again() {
    let folder = tempfile::tempdir().unwrap();
    let (first, first_end) = lines();
    let provider = streams(vec![first_end]);
    let switch = Switch::listen(folder.path());
    switch.deaf(true);
    let _courier = start(folder.path(), &provider.url, "");
    assert_eq!(provider.wait_for(1).header("authorization"), "");
    first.send(message("b1", "KILL 12345678")).unwrap();
    switch.texts(&["b1"]);
    drop(first);
    assert_eq!(provider.wait_for(2).path, "/kill/json?since=all");
    // And it is offered again as soon as the kill switch can be spoken to anew.
    switch.deaf(false);
    switch.hang_up();
    switch.wait(|heard| {
        (heard
            .iter()
            .filter(|m| format!("{m:?}") == "Text(phone)")
            .count()
            >= 2)
            .then_some(())
    });
}

#[test]
fn garbage_and_refusals_are_told_and_overcome() {
    let folder = tempfile::tempdir().unwrap();
    let (good, good_end) = lines();
    let (bad, bad_end) = lines();
    bad.send("<html>".to_owned()).unwrap();
    let streams = Mutex::new(vec![good_end, bad_end]);
    let provider = Provider::serve(move |_, before| match before {
        0 => Given::status(403),
        1 => Given::Answer(429, vec![("retry-after", "1".to_owned())], String::new()),
        _ => streams
            .lock()
            .unwrap()
            .pop()
            .map_or(Given::Silence, Given::Lines),
    });
    let switch = Switch::listen(folder.path());
    let _courier = start(folder.path(), &provider.url, "user:secret");
    assert_eq!(
        provider.wait_for(1).header("authorization"),
        "Basic dXNlcjpzZWNyZXQ="
    );
    switch.problem("credentials (403)");
    switch.problem("slow down (429)");
    switch.problem("not understood");
    good.send(message("c1", "STATUS")).unwrap();
    switch.texts(&["c1"]);
    switch.problem("");
    drop(bad);
}
