//! Asks a streaming target for its figures where the client did not, and hides the answer to a question that the
//! client did not put.
//!
//! Source: `stream_options` of <https://platform.openai.com/docs/api-reference/chat/create>.

use bytes::{Bytes, BytesMut};
use memchr::memmem::Finder;
use net_model::Api;
use serde::{Deserialize, de::IgnoredAny};
use std::sync::LazyLock;

const ASKED: &[u8] = br#"{"stream_options":{"include_usage":true},"#;

static OPTIONS: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"stream_options\""));
static USAGE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"usage\""));

#[derive(Deserialize)]
struct Options {
    #[serde(default, rename = "stream_options", deserialize_with = "present")]
    given: bool,
}

/// Null too: the client has spoken.
fn present<'de, D: serde::Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(from).map(|_| true)
}

/// The body of a request that streams, with the question for figures put in front; `None` where it has one of its own
/// or this API has no such question. No other byte changes.
#[must_use]
pub fn with_usage(api: Api, body: &[u8]) -> Option<Bytes> {
    if !matches!(api, Api::Chat | Api::Completions) {
        return None;
    }
    if OPTIONS.find(body).is_some() {
        // It may stand in the words of a message.
        let options: Options = serde_json::from_slice(body).ok()?;
        if options.given {
            return None;
        }
    }
    let rest = body.trim_ascii_start().strip_prefix(b"{")?;
    // An empty object has no member to part from.
    if rest.trim_ascii_start().first() != Some(&b'"') {
        return None;
    }
    let mut asked = BytesMut::with_capacity(ASKED.len() + rest.len());
    asked.extend_from_slice(ASKED);
    asked.extend_from_slice(rest);
    Some(asked.freeze())
}

#[derive(Deserialize)]
struct Chunk {
    choices: Vec<IgnoredAny>,
    usage: Option<IgnoredAny>,
}

/// A stream of whole events without the event that holds nothing but figures. `events` begins and ends between two
/// events; its bytes are shared where nothing is hidden.
#[must_use]
pub fn without_figures(events: Bytes) -> Bytes {
    if !USAGE
        .find_iter(&events)
        .any(|at| is_object_after(&events, at + USAGE.needle().len()))
    {
        return events;
    }
    let mut passed = BytesMut::with_capacity(events.len());
    let mut hidden = false;
    let mut rest: &[u8] = &events;
    while !rest.is_empty() {
        let (event, after) = rest.split_at(event_length(rest));
        if is_figures_alone(event) {
            hidden = true;
        } else {
            passed.extend_from_slice(event);
        }
        rest = after;
    }
    if hidden { passed.freeze() } else { events }
}

fn is_object_after(events: &[u8], at: usize) -> bool {
    let value = events.get(at..).and_then(super::text::member);
    value.is_some_and(|value| value.starts_with(b"{"))
}

/// Bytes up to the end of the first event: with its empty line.
fn event_length(bytes: &[u8]) -> usize {
    let mut from = 0;
    for at in memchr::memchr2_iter(b'\n', b'\r', bytes) {
        if bytes.get(at) == Some(&b'\r') && bytes.get(at + 1) == Some(&b'\n') {
            continue;
        }
        let line = bytes.get(from..at).unwrap_or_default();
        if line.is_empty() || line == b"\r" {
            return at + 1;
        }
        from = at + 1;
    }
    bytes.len()
}

/// One `data` line with no choices and with figures.
fn is_figures_alone(event: &[u8]) -> bool {
    let Some(data) = event.strip_prefix(b"data:") else {
        return false;
    };
    let data = data.trim_ascii();
    if memchr::memchr2(b'\n', b'\r', data).is_some() {
        return false;
    }
    serde_json::from_slice::<Chunk>(data)
        .is_ok_and(|chunk| chunk.choices.is_empty() && chunk.usage.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    #[test]
    fn a_request_that_says_nothing_of_figures_asks_for_them() {
        let asked = with_usage(Api::Chat, b" {\"model\":\"m\",\"stream\":true}").unwrap();
        assert_eq!(
            asked,
            br#"{"stream_options":{"include_usage":true},"model":"m","stream":true}"#.as_slice()
        );
        let words =
            br#"{"messages":[{"content":"\"stream_options\":1"}],"user":"\"stream_options\""}"#;
        assert!(with_usage(Api::Completions, words).is_some());
        let nested = br#"{"metadata":{"stream_options":{}}}"#;
        assert!(with_usage(Api::Chat, nested).is_some());
    }

    #[test]
    fn what_the_client_said_itself_stays() {
        for body in [
            r#"{"model":"m","stream_options":{"include_usage":false}}"#,
            r#"{"stream_options":null}"#,
            r#"{"stream_options" : {}}"#,
            "{}",
            "[]",
            "",
            "{\"stream_options\"",
        ] {
            assert_eq!(with_usage(Api::Chat, body.as_bytes()), None, "{body}");
        }
        for api in [
            Api::Responses,
            Api::Messages,
            Api::OllamaChat,
            Api::Embeddings,
        ] {
            assert_eq!(with_usage(api, br#"{"model":"m"}"#), None);
        }
    }

    #[test]
    fn figures_beside_words_are_not_hidden() {
        for event in [
            r#"data: {"choices":[{"delta":{"content":"a"}}],"usage":{"prompt_tokens":1}}"#,
            r#"data: {"choices":[],"usage":null}"#,
            r#"data: {"usage":{"prompt_tokens":1}}"#,
            "data: {\"choices\":[],\ndata: \"usage\":{}}",
            "event: x\ndata: {\"choices\":[],\"usage\":{}}",
        ] {
            let events = Bytes::from(format!("{event}\n\n"));
            assert_eq!(without_figures(events.clone()), events);
        }
    }

    fn json_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".{0,12}".prop_map(Value::from),
            Just(Value::from("stream_options"))
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map("[a-z_]{1,6}|usage|stream_options", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn nothing_but_the_question_is_put_in(members in proptest::collection::btree_map(".{0,8}|stream_options", json_value(), 0..5)) {
            let body = Value::Object(members.clone().into_iter().collect()).to_string();
            match with_usage(Api::Chat, body.as_bytes()) {
                None => prop_assert!(members.is_empty() || members.contains_key("stream_options")),
                Some(asked) => {
                    prop_assert!(asked.ends_with(&body.as_bytes()[1..]));
                    let read: Value = serde_json::from_slice(&asked).unwrap();
                    let mut expected: Value = serde_json::from_str(&body).unwrap();
                    expected["stream_options"] = json!({"include_usage": true});
                    prop_assert_eq!(read, expected);
                }
            }
        }

        #[test]
        fn nothing_but_the_figures_is_hidden(
            events in proptest::collection::vec((".{0,20}", any::<bool>()), 0..8),
            ending in prop_oneof![Just("\n\n"), Just("\r\n\r\n"), Just("\r\r")],
        ) {
            let (mut stream, mut expected) = (String::new(), String::new());
            for (words, figures) in events {
                let chunk = if figures {
                    json!({"choices": [], "usage": {"prompt_tokens": 3, "words": words}})
                } else {
                    json!({"choices": [{"delta": {"content": words}}], "usage": null})
                };
                let event = format!("data: {chunk}{ending}");
                stream.push_str(&event);
                if !figures {
                    expected.push_str(&event);
                }
            }
            prop_assert_eq!(without_figures(Bytes::from(stream)), Bytes::from(expected));
        }

        #[test]
        fn no_bytes_make_it_fail(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let figures = b"\n\ndata: {\"choices\":[],\"usage\":{}}\n\n";
            let stream = [&bytes, figures.as_slice(), &bytes].concat();
            let passed = without_figures(Bytes::from(stream.clone()));
            prop_assert!(passed.len() + figures.len() >= stream.len());
            let _asked = with_usage(Api::Chat, &bytes);
        }
    }
}
