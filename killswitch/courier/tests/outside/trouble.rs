//! Providers that refuse, hang, throttle or are not there: told, tried again, nothing lost and no secret said.

use crate::provider::{Given, Provider};
use crate::switch::{Running, Switch};
use kill_wire::ToCourier;
use serde_json::json;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use tokio::time::Instant;

const KEY: &str = "KEY-SECRET-123";
const TO: &str = "+4712345678";

fn telnyx(folder: &Path, url: &str) -> Running {
    let values = [
        ("reply_key_file", KEY),
        ("reply_from", "+15550001111"),
        ("reply_url", url),
    ];
    Running::start(folder, "telnyx", "", &values)
}

/// A kill switch, a provider that answers so, a courier.
fn house(
    answer: impl Fn(usize) -> Given + Send + Sync + 'static,
) -> (tempfile::TempDir, Switch, Provider, Running) {
    let folder = tempfile::tempdir().unwrap();
    let switch = Switch::listen(folder.path());
    let provider = Provider::serve(move |_, before| answer(before));
    let courier = telnyx(folder.path(), &provider.url);
    (folder, switch, provider, courier)
}

#[test]
fn a_provider_in_trouble_is_tried_again() {
    let (_folder, switch, provider, _courier) = house(|before| match before {
        0 => Given::status(503),
        1 => Given::End,
        _ => Given::status(200),
    });
    switch.reply(1, TO, "CUT ALL");
    assert_eq!(switch.end(1), None);
    assert_eq!(provider.asked().len(), 3);
    switch.problem("");
    assert!(switch.told().contains("replies: it is in trouble (503)"));
}

#[test]
fn a_provider_that_asks_to_slow_down_is_left_alone_for_as_long_as_it_says() {
    let (_folder, switch, _provider, _courier) = house(|before| match before {
        0 => Given::Answer(429, vec![("retry-after", "3".to_owned())], String::new()),
        _ => Given::status(200),
    });
    let from = Instant::now();
    switch.reply(1, TO, "CUT ALL");
    assert_eq!(switch.end(1), None);
    assert!(from.elapsed().as_secs() >= 3);
}

#[test]
fn a_refusal_is_told_at_once_without_number_text_or_key() {
    let answer = |_| {
        let said = json!({ "errors": [KEY, TO, "CUT ALL"] }).to_string();
        Given::Answer(401, Vec::new(), said)
    };
    let (_folder, switch, provider, _courier) = house(answer);
    switch.reply(1, TO, "CUT ALL");
    assert_eq!(switch.end(1).unwrap(), "it refuses our credentials (401)");
    switch.problem("replies: it refuses our credentials (401)");
    assert_eq!(provider.asked().len(), 1);
    for secret in [KEY, "4712345678", "CUT"] {
        assert!(!switch.told().contains(secret), "{}", switch.told());
    }
}

#[test]
fn a_text_the_provider_refuses_does_not_make_the_channel_look_broken() {
    let (_folder, switch, _provider, _courier) = house(|_| Given::status(422));
    switch.reply(1, TO, "CUT ALL");
    assert_eq!(switch.end(1).unwrap(), "it refuses the request (422)");
    switch.reply(2, "OFFICE", "CUT ALL");
    assert_eq!(
        switch.end(2).unwrap(),
        "its sender is no number that can be texted"
    );
    assert!(!switch.told().contains("replies:"));
}

#[test]
fn a_provider_that_hangs_holds_up_no_other_reply() {
    let (_folder, switch, provider, _courier) = house(|before| match before {
        0 => Given::Silence,
        _ => Given::status(200),
    });
    switch.reply(1, TO, "CUT ALL");
    provider.wait_for(1);
    switch.reply(2, TO, "CUT LLM");
    assert_eq!(switch.end(2), None);
    assert_eq!(switch.ends(1), 0);
    assert_eq!(switch.end(1), None);
    assert!(switch.told().contains("no answer within 10 s"));
}

#[test]
fn a_reply_that_is_handed_over_again_is_sent_once_and_its_end_said_again() {
    let (_folder, switch, provider, _courier) = house(|_| Given::status(200));
    switch.reply(1, TO, "CUT ALL");
    assert_eq!(switch.end(1), None);
    switch.hang_up();
    switch.reply(1, TO, "CUT ALL");
    switch.reply(1, TO, "CUT ALL");
    switch.ended_times(1, 2);
    assert_eq!(provider.asked().len(), 1);
}

#[test]
fn a_text_the_phone_has_already_counts_as_sent() {
    let folder = tempfile::tempdir().unwrap();
    let switch = Switch::listen(folder.path());
    let provider = Provider::serve(|_, before| match before {
        0 => Given::End,
        _ => Given::status(409),
    });
    let values = [
        ("reply_url", provider.url.as_str()),
        ("reply_user", "user"),
        ("reply_password_file", "pass"),
    ];
    let _courier = Running::start(folder.path(), "sms-gate", "", &values);
    switch.reply(1, TO, "CUT ALL");
    assert_eq!(switch.end(1), None);
    let ids: Vec<_> = provider
        .asked()
        .iter()
        .map(|asked| asked.json()["id"].clone())
        .collect();
    assert_eq!(ids, ["portcullis-1", "portcullis-1"]);
}

#[test]
fn a_channel_without_a_way_to_reply_says_so() {
    let (_folder, switch, provider, _courier) = house(|_| Given::status(200));
    let (channel, to, text) = ("other".to_owned(), TO.to_owned(), "CUT".to_owned());
    switch.say(&ToCourier::Reply {
        number: 9,
        channel,
        to,
        text,
    });
    assert!(switch.end(9).unwrap().contains("no way to reply"));
    assert!(provider.asked().is_empty());
}

#[test]
fn a_name_that_cannot_be_looked_up_is_told_and_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let switch = Switch::listen(folder.path());
    let _courier = telnyx(folder.path(), "https://no-such-host.invalid");
    switch.reply(1, TO, "CUT ALL");
    let told = switch.problem("replies: ");
    assert!(
        told.contains("looked up") || told.contains("no answer"),
        "{told}"
    );
    assert_eq!(switch.ends(1), 0);
}

#[test]
fn a_host_that_speaks_no_tls_is_told_and_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let switch = Switch::listen(folder.path());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            drop(stream.write_all(b"HTTP/1.1 400 -\r\n\r\n"));
            drop(stream.read_to_end(&mut Vec::new()));
        }
    });
    let _courier = telnyx(folder.path(), &format!("https://{address}"));
    switch.reply(2, TO, "CUT ALL");
    switch.problem("replies: it cannot be reached");
    assert_eq!(switch.ends(2), 0);
}
