#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
//! Every vector of every provider, and every small change to one: all refused, but for what the vector file lists as not
//! signed. What is listed must show in the kind's trust.

#[path = "vectors/case.rs"]
mod case;

use case::{Case, accepted, cases, schemes};
use kill_inbound::{Channel, Incoming, MAX_BODY, Refusal, Trust};
use serde_json::{Value, json};

const OTHER_METHODS: [&str; 5] = ["PUT", "HEAD", "post", "get", ""];

fn shown(incoming: &Incoming) -> Value {
    match incoming {
        Incoming::Text(text) => json!({"id": text.id, "sender": text.sender, "text": text.text}),
        Incoming::Nothing => json!("nothing"),
        Incoming::Confirm { url } => json!({"confirm": url}),
    }
}

#[test]
fn every_provider_has_vectors() {
    for kind in Channel::KINDS {
        let of_kind = cases().into_iter().filter(|case| case.kind == *kind);
        let called = !Channel::is_pulled(kind);
        assert!(!called || of_kind.count() >= 10, "{kind}");
    }
}

#[test]
fn every_vector_gives_what_it_says() {
    for case in cases() {
        let got = match case.send() {
            Ok(incoming) => {
                if let Incoming::Text(text) = &incoming {
                    assert_eq!(text.channel, "test");
                    assert_eq!(text.trust, case.channel().trust());
                }
                shown(&incoming)
            }
            Err(refusal) => json!(refusal.to_string()),
        };
        assert_eq!(got, case.expect, "{} / {}", case.kind, case.name);
    }
}

/// A is signed and fresh, B is signed, C is what signs less than the whole body.
#[test]
fn trust_is_what_the_scheme_shows() {
    for scheme in schemes() {
        let of_kind: Vec<Case> = accepted()
            .into_iter()
            .filter(|case| case.kind == scheme.kind)
            .collect();
        let open = of_kind.iter().any(|case| case.open("body"));
        let highest = match (open, scheme.fresh) {
            (true, _) => Trust::C,
            (false, None) => Trust::B,
            (false, Some(_)) => Trust::A,
        };
        // `A` sorts before `C`: a kind may claim less than its scheme shows, never more.
        assert!(of_kind[0].channel().trust() >= highest, "{}", scheme.kind);
    }
}

#[test]
fn any_changed_byte_of_the_body_is_refused() {
    for case in accepted().into_iter().filter(|case| !case.open("body")) {
        let channel = case.channel();
        let before = case.send_by(&channel).unwrap();
        for mask in [0x01, 0x04, 0x80] {
            for at in 0..case.body.len() {
                let mut changed = case.clone();
                changed.body[at] ^= mask;
                match changed.send_by(&channel) {
                    Ok(same) if case.loose(at) => assert!(same == before, "{}: {at}", case.name),
                    Ok(text) => panic!("{}: body byte {at} by {mask}: {text:?}", case.name),
                    Err(_) => {}
                }
            }
        }
    }
}

/// Upper and lower case of a percent escape read the same, so the text must be the very same.
#[test]
fn a_body_that_reads_the_same_gives_the_same_text() {
    for case in accepted().into_iter().filter(|case| !case.open("body")) {
        let channel = case.channel();
        let before = case.send_by(&channel).unwrap();
        for at in 0..case.body.len() {
            let mut changed = case.clone();
            changed.body[at] ^= 0x20;
            if let Ok(text) = changed.send_by(&channel) {
                assert!(text == before, "{}: body byte {at}", case.name);
            }
        }
    }
}

#[test]
fn any_changed_byte_of_the_query_is_refused() {
    for case in accepted().into_iter().filter(|case| !case.open("query")) {
        let Some(query) = &case.query else { continue };
        let before = case.send().unwrap();
        for mask in [0x01, 0x04, 0x20] {
            for at in 0..query.len() {
                let mut bytes = query.clone().into_bytes();
                bytes[at] ^= mask;
                let changed = Case {
                    query: Some(String::from_utf8(bytes).unwrap()),
                    ..case.clone()
                };
                match changed.send() {
                    Ok(text) if mask == 0x20 => assert!(text == before, "{}: {at}", case.name),
                    Ok(text) => panic!("{}: query byte {at} by {mask}: {text:?}", case.name),
                    Err(_) => {}
                }
            }
        }
        let dropped = Case {
            query: None,
            ..case.clone()
        };
        dropped.refused("dropped query");
    }
}

#[test]
fn a_query_that_was_not_there_is_refused_or_not_read() {
    for case in accepted().into_iter().filter(|case| case.query.is_none()) {
        let before = case.send().unwrap();
        for query in [
            "",
            "Body=KILL",
            "text=KILL&id=1&timestamp=1",
            "bodySHA256=00",
        ] {
            let more = Case {
                query: Some(query.to_owned()),
                ..case.clone()
            };
            if let Ok(text) = more.send() {
                assert!(text == before, "{}: {query}", case.name);
            }
        }
    }
}

#[test]
fn any_changed_or_dropped_or_doubled_header_is_refused() {
    for case in accepted() {
        for n in 0..case.headers.len() {
            for at in 0..case.headers[n].1.len() {
                let mut changed = case.clone();
                changed.headers[n].1[at] ^= 0x01;
                if !case.one_of {
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
    for case in accepted() {
        // Without its port, an address may read the same whatever the port.
        if case.open("url") || case.open("port") {
            continue;
        }
        let Some(url) = &case.url else { continue };
        let signed = url.split('#').next().unwrap().len();
        for at in "https://".len()..signed {
            let mut bytes = url.clone().into_bytes();
            bytes[at] = if bytes[at] == b'x' { b'y' } else { b'x' };
            let changed = Case {
                url: Some(String::from_utf8(bytes).unwrap()),
                ..case.clone()
            };
            changed.refused(&format!("address byte {at}"));
        }
    }
}

#[test]
fn a_body_with_more_or_less_is_refused() {
    for case in accepted().into_iter().filter(|case| !case.open("body")) {
        // A call by GET has none to begin with.
        for more in ["&a=b", "&Body=KILL", "x"] {
            let mut changed = case.clone();
            changed.body.extend_from_slice(more.as_bytes());
            changed.refused(more);
        }
        let channel = case.channel();
        for len in 0..case.body.len() {
            let mut shorter = case.clone();
            shorter.body.truncate(len);
            let sent = shorter.send_by(&channel);
            assert!(sent.is_err(), "{}: first {len} bytes", case.name);
        }
    }
}

#[test]
fn a_shifted_clock_refuses_where_the_time_is_signed() {
    for case in accepted() {
        let Some(fresh) = case.fresh else { continue };
        let far = i64::try_from(2 * fresh + 1).unwrap();
        for shift in [-far, far, far + 86_400, -far - 86_400] {
            let now = case.now.checked_add_signed(shift).unwrap();
            let shifted = Case {
                now,
                ..case.clone()
            };
            assert_eq!(shifted.refused("shifted clock"), Refusal::Stale);
        }
        let mut later = Case {
            now: case.now + 2 * fresh + 1,
            ..case.clone()
        };
        let stamp = later.now.to_string().into_bytes();
        let digits = |value: &[u8]| !value.is_empty() && value.iter().all(u8::is_ascii_digit);
        let stamps = later.headers.iter_mut().filter(|(_, v)| digits(v));
        let restamped = stamps.map(|(_, value)| value.clone_from(&stamp)).count();
        if restamped > 0 {
            assert_eq!(later.refused("old signature, new time"), Refusal::Signature);
        }
    }
}

#[test]
fn other_methods_and_too_long_bodies_are_refused_before_anything_is_read() {
    for case in accepted() {
        for method in OTHER_METHODS {
            let other = Case {
                method: method.to_owned(),
                ..case.clone()
            };
            assert_eq!(other.refused(method), Refusal::Method);
        }
        let other = if case.method == "GET" { "POST" } else { "GET" };
        let swapped = Case {
            method: other.to_owned(),
            ..case.clone()
        };
        swapped.refused(other);
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
