//! Webhooks: who is answered in the response, who by the courier, and what refused calls leave behind.

use crate::house::{House, PHONE, kill_code, now};
use kill_inbound::standard_webhooks::{ID, SIGNATURE, TIMESTAMP, body, secret_from_random, sign};
use kill_inbound::{Channel, Options};
use killswitchd::Settings;

pub(crate) fn signed(name: &str, byte: u8) -> (Channel, String) {
    let secret = secret_from_random([byte; 32]);
    let options = Options {
        secrets: vec![secret.clone()],
        ..Options::default()
    };
    let channel = Channel::new(name, "standard-webhooks", options).unwrap();
    (channel, secret)
}

pub(crate) fn send(house: &House, secret: &str, id: &str, text: &str) -> (u16, String) {
    let (at, body) = (now(), body(text, Some(PHONE)));
    let signature = sign(secret, id, at, body.as_bytes()).unwrap();
    let head = format!(
        "POST /v1/inbound/local HTTP/1.1\r\n{ID}: {id}\r\n{TIMESTAMP}: {}\r\n{SIGNATURE}: {signature}",
        at.secs()
    );
    house.call(&head, &body)
}

#[test]
fn a_signed_text_is_answered_in_the_response() {
    let (channel, secret) = signed("local", 1);
    let house = House::up(Settings {
        channels: vec![channel],
        ..Settings::default()
    });
    let (status, said) = send(&house, &secret, "m1", &format!("KILL {}", kill_code()));
    assert!(status == 200 && said.contains("CUT ALL"), "{status} {said}");
    assert_eq!(house.cut(), ["ALL"]);
}

#[test]
fn a_changed_secret_is_noticed_at_the_first_call_and_forgotten_at_the_next_good_one() {
    let (channel, secret) = signed("local", 1);
    let house = House::up(Settings {
        channels: vec![channel],
        ..Settings::default()
    });
    let problem = || house.state().channels[0].problem.clone();
    assert_eq!(send(&house, &secret, "m1", "hello").0, 200);
    assert_eq!(problem(), None);
    let (_, other) = signed("local", 2);
    assert_eq!(send(&house, &other, "m2", "hello").0, 403);
    let said = problem().unwrap();
    assert!(said.contains("1 call with a wrong signature"), "{said}");
    assert_eq!(send(&house, &secret, "m3", "hello").0, 200);
    assert_eq!(problem(), None);
}

#[test]
fn a_method_the_channel_does_not_know_is_refused() {
    let (channel, _) = signed("local", 1);
    let house = House::up(Settings {
        channels: vec![channel],
        ..Settings::default()
    });
    assert_eq!(house.call("GET /v1/inbound/local HTTP/1.1", "").0, 405);
    assert_eq!(house.call("POST /v1/inbound/none HTTP/1.1", "").0, 404);
}
