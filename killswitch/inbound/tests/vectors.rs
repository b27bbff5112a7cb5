#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
//! Every vector of every provider, and every small change to one: all refused.

use kill_inbound::{Channel, InboundText, Incoming, MAX_BODY, Options, RawRequest, Refusal};
use kill_wire::Timestamp;
use serde_json::Value;

const FILES: [(&str, &str); 2] = [
    ("twilio", include_str!("../vectors/twilio.json")),
    (
        "standard-webhooks",
        include_str!("../vectors/standard_webhooks.json"),
    ),
];

/// A vector as a request that can be changed.
#[derive(Clone)]
struct Case {
    name: String,
    kind: &'static str,
    url: Option<String>,
    secrets: Vec<String>,
    now: u64,
    method: String,
    headers: Vec<(String, Vec<u8>)>,
    query: Option<String>,
    body: Vec<u8>,
    expect: Value,
}

impl Case {
    fn send(&self) -> Result<InboundText, Refusal> {
        let options = Options {
            public_url: self.url.clone(),
            secrets: self.secrets.clone(),
            ..Options::default()
        };
        let channel = Channel::new("test", self.kind, options).unwrap();
        let headers: Vec<(&str, &[u8])> = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_slice()))
            .collect();
        let request = RawRequest {
            method: &self.method,
            headers: &headers,
            query: self.query.as_deref(),
            body: &self.body,
        };
        match channel.verify(&request, Timestamp::from_millis(self.now * 1000))? {
            Incoming::Text(text) => Ok(text),
            other => panic!("{}: not a text: {other:?}", self.name),
        }
    }

    fn refused(&self, what: &str) -> Refusal {
        match self.send() {
            Err(refusal) => refusal,
            Ok(text) => panic!(
                "{} / {}: {what} was accepted as {text:?}",
                self.kind, self.name
            ),
        }
    }
}

fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    for (kind, json) in FILES {
        let list: Vec<Value> = serde_json::from_str(json).unwrap();
        all.extend(list.into_iter().map(|v| {
            Case {
                name: v["name"].as_str().unwrap().to_owned(),
                kind,
                url: v["public_url"].as_str().map(str::to_owned),
                secrets: serde_json::from_value(v["secrets"].clone()).unwrap(),
                now: v["now"].as_u64().unwrap(),
                method: "POST".to_owned(),
                headers: v["headers"]
                    .as_object()
                    .unwrap()
                    .iter()
                    .map(|(name, value)| {
                        (name.clone(), value.as_str().unwrap().as_bytes().to_vec())
                    })
                    .collect(),
                query: v["query"].as_str().map(str::to_owned),
                body: v["body"].as_str().unwrap().as_bytes().to_vec(),
                expect: v["expect"].clone(),
            }
        }));
    }
    all
}

fn good() -> Vec<Case> {
    cases()
        .into_iter()
        .filter(|case| case.expect.is_object())
        .collect()
}

#[test]
fn every_provider_has_vectors() {
    for kind in Channel::KINDS {
        let of_kind = cases().into_iter().filter(|case| case.kind == *kind);
        assert!(of_kind.count() >= 10, "{kind}");
    }
}

#[test]
fn every_vector_gives_what_it_says() {
    for case in cases() {
        match (case.send(), &case.expect) {
            (Ok(text), Value::Object(expected)) => {
                assert_eq!(text.id, expected["id"].as_str().unwrap(), "{}", case.name);
                assert_eq!(
                    text.sender.as_deref(),
                    expected["sender"].as_str(),
                    "{}",
                    case.name
                );
                assert_eq!(
                    text.text,
                    expected["text"].as_str().unwrap(),
                    "{}",
                    case.name
                );
                assert_eq!(text.channel, "test");
            }
            (Err(refusal), Value::String(word)) => {
                assert_eq!(&refusal.to_string(), word, "{}", case.name)
            }
            (got, expected) => panic!("{}: got {got:?}, expected {expected}", case.name),
        }
    }
}

#[test]
fn any_changed_byte_of_the_body_is_refused() {
    for case in good() {
        for mask in [0x01, 0x04, 0x80] {
            for at in 0..case.body.len() {
                let mut changed = case.clone();
                changed.body[at] ^= mask;
                changed.refused(&format!("body byte {at} changed by {mask}"));
            }
        }
    }
}

/// Upper and lower case of a percent escape read the same, so the text must be the very same.
#[test]
fn a_body_that_reads_the_same_gives_the_same_text() {
    for case in good() {
        let before = case.send().unwrap();
        for at in 0..case.body.len() {
            let mut changed = case.clone();
            changed.body[at] ^= 0x20;
            if let Ok(text) = changed.send() {
                assert!(text == before, "{}: body byte {at}", case.name);
            }
        }
    }
}

#[test]
fn any_changed_or_dropped_or_doubled_header_is_refused() {
    for case in good() {
        for n in 0..case.headers.len() {
            for at in 0..case.headers[n].1.len() {
                let mut changed = case.clone();
                changed.headers[n].1[at] ^= 0x01;
                // Of several signatures one good one is enough.
                if case.name != "several signatures" {
                    changed.refused(&format!("byte {at} of {}", case.headers[n].0));
                }
            }
            let mut dropped = case.clone();
            dropped.headers.remove(n);
            assert_eq!(dropped.refused("missing header"), Refusal::Header);
            let mut doubled = case.clone();
            doubled.headers.push(case.headers[n].clone());
            assert_eq!(doubled.refused("doubled header"), Refusal::Header);
            let mut other_case = case.clone();
            other_case.headers[n].0 = case.headers[n].0.to_uppercase();
            other_case.send().unwrap();
        }
    }
}

#[test]
fn any_changed_byte_of_the_public_address_is_refused() {
    for case in good() {
        let Some(url) = &case.url else { continue };
        let signed = url.split('#').next().unwrap().len();
        for at in "https://".len()..signed {
            let mut bytes = url.clone().into_bytes();
            bytes[at] = if bytes[at] == b'x' { b'y' } else { b'x' };
            let changed = Case {
                url: Some(String::from_utf8(bytes).unwrap()),
                ..case.clone()
            };
            // Without its port, an address reads the same whatever the port: Twilio signs both forms.
            if !(case.name.contains("port") || case.name.contains("proxy")) {
                changed.refused(&format!("address byte {at}"));
            }
        }
    }
}

#[test]
fn a_body_with_more_or_less_is_refused() {
    for case in good() {
        for more in ["&a=b", "&Body=KILL", "x"] {
            let mut changed = case.clone();
            changed.body.extend_from_slice(more.as_bytes());
            changed.refused(more);
        }
        for len in 0..case.body.len() {
            let mut shorter = case.clone();
            shorter.body.truncate(len);
            shorter.refused(&format!("first {len} bytes"));
        }
    }
}

#[test]
fn a_shifted_clock_refuses_where_the_time_is_signed() {
    for case in good()
        .into_iter()
        .filter(|case| case.kind == "standard-webhooks")
    {
        for shift in [-601_i64, 601, 86_400, -86_400] {
            let now = case.now.checked_add_signed(shift).unwrap();
            let shifted = Case {
                now,
                ..case.clone()
            };
            assert_eq!(shifted.refused("shifted clock"), Refusal::Stale);
        }
        let restamped = case
            .headers
            .iter()
            .position(|(name, _)| name == "webhook-timestamp")
            .unwrap();
        let mut later = Case {
            now: case.now + 900,
            ..case.clone()
        };
        later.headers[restamped].1 = later.now.to_string().into_bytes();
        assert_eq!(later.refused("old signature, new time"), Refusal::Signature);
    }
}

#[test]
fn other_methods_and_too_long_bodies_are_refused_before_anything_is_read() {
    for case in good() {
        for method in ["GET", "PUT", "post", ""] {
            let other = Case {
                method: method.to_owned(),
                ..case.clone()
            };
            assert_eq!(other.refused(method), Refusal::Method);
        }
        let mut long = case.clone();
        long.body.resize(MAX_BODY + 1, b' ');
        assert_eq!(long.refused("long body"), Refusal::TooLarge);
    }
}

#[test]
fn headers_that_name_another_algorithm_change_nothing() {
    let case = cases()
        .into_iter()
        .find(|case| case.kind == "twilio")
        .unwrap();
    let mut named = case.clone();
    let settings = b"key=webhooks_sharedkey_x,algorithm=HMAC_SHA256".to_vec();
    named
        .headers
        .push(("X-Twilio-Webhooks-Signature-Settings".to_owned(), settings));
    assert!(named.send().unwrap() == case.send().unwrap());
}
