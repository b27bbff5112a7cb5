//! Answers that were cut short or hold something else at any place: each is read or refused, and none lets anybody in.

use crate::local::{Status, WhoIs};
use serde_json::{Value, json};

const STATUS: &[u8] = include_bytes!("../tests/answers/status.json");
const WHOIS: &[u8] = include_bytes!("../tests/answers/whois.json");

/// Every place in a value, as pointers.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let name = name.replace('~', "~0").replace('/', "~1");
                places(member, &format!("{at}/{name}"), found);
            }
        }
        Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                places(item, &format!("{at}/{number}"), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The answer with something else at each place of it, one after another.
fn changed(answer: &[u8]) -> Vec<(String, Vec<u8>)> {
    let whole: Value = serde_json::from_slice(answer).unwrap();
    let mut pointers = Vec::new();
    places(&whole, "", &mut pointers);
    let others = [
        Value::Null,
        json!(true),
        json!(-7),
        json!(1e300),
        json!("../\u{202e}\u{0}"),
        json!([]),
        json!([[null]]),
        json!({ "": {} }),
    ];
    let mut all = Vec::new();
    for pointer in pointers {
        for other in &others {
            let mut changed = whole.clone();
            *changed.pointer_mut(&pointer).unwrap() = other.clone();
            all.push((
                format!("{pointer} = {other}"),
                changed.to_string().into_bytes(),
            ));
        }
    }
    all
}

#[test]
fn a_status_is_read_or_refused_whatever_it_holds() {
    let all = changed(STATUS);
    assert!(all.len() > 800, "{}", all.len());
    for (what, answer) in all {
        let Ok(status) = Status::read(&answer) else {
            continue;
        };
        assert!(
            status.nodes.len() + (status.unreadable as usize) <= 3,
            "{what}"
        );
        for node in &status.nodes {
            let texts = [&node.id, &node.name, &node.login, &node.os];
            let harmless = |text: &&String| !text.contains(['\u{202e}', '\u{0}']);
            assert!(texts.iter().all(harmless), "{what}");
        }
    }
    for end in 0..STATUS.trim_ascii_end().len() {
        assert!(Status::read(&STATUS[..end]).is_err(), "{end}");
    }
}

#[test]
fn no_change_of_an_answer_gives_anybody_more_than_it_did() {
    let tagged = json!(["tag:agent"]);
    let mut machine: Value = serde_json::from_slice(WHOIS).unwrap();
    machine["Node"]["Tags"] = tagged;
    machine["Node"]["PrimaryRoutes"] = json!(["10.0.0.0/8"]);
    machine["Node"]["Expired"] = json!(true);
    for (what, answer) in changed(machine.to_string().as_bytes()) {
        let Ok(who) = WhoIs::read(&answer) else {
            continue;
        };
        // One change takes away at most one of the three reasons to refuse.
        let reasons = [!who.tags.is_empty(), who.routes_others, who.expired];
        let left = reasons.iter().filter(|it| **it).count();
        assert!(left >= 2, "{what}");
    }
    for end in 0..WHOIS.trim_ascii_end().len() {
        assert!(WhoIs::read(&WHOIS[..end]).is_err(), "{end}");
    }
}
