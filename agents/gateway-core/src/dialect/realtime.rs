//! OpenAI's realtime API: a WebSocket whose query names the model, and whose messages are JSON events.
//!
//! Source: <https://platform.openai.com/docs/guides/realtime-websocket>. Events pass as they came, but for the model's
//! name: a session is with the one that it was admitted for.

use super::{
    asked::{Unreadable, place_in, reads_as, replaced, text},
    paths::unescaped,
};
use serde::de::{Deserializer as _, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::{borrow::Cow, fmt, ops::Range};

const MODEL: &str = "model";
/// Members of an event that may hold a model's name beside their other members.
const HOLDERS: [&str; 2] = ["session", "response"];

/// The model in the query of a handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialed {
    /// Its name.
    pub model: String,
    /// Where it stands in the query.
    at: Range<usize>,
}

impl Dialed {
    /// Reads a query; `None` when it names no model.
    ///
    /// # Errors
    /// When readers could take another name from it: it stands there twice or in other letters, or with signs that some
    /// take for a space or for the end of a pair (`+` and `;`).
    pub fn read(query: &str) -> Result<Option<Self>, Unreadable> {
        let mut found = None;
        let mut start = 0;
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let at = start + name.len() + 1;
            start += pair.len() + 1;
            let name = unescaped(name).ok_or(Unreadable::Ambiguous)?;
            if pair.contains(';') || name.contains('+') {
                return Err(Unreadable::Ambiguous);
            }
            if !reads_as(&name, MODEL) {
                continue;
            }
            let model = unescaped(value).filter(|_| name == MODEL && !value.contains('+'));
            let model = model.ok_or(Unreadable::Ambiguous)?;
            let dialed = Self {
                model,
                at: at..at + value.len(),
            };
            if found.replace(dialed).is_some() {
                return Err(Unreadable::Ambiguous);
            }
        }
        Ok(found.filter(|dialed| !dialed.model.is_empty()))
    }

    /// The same query with another model in it; `query` must be the one that was read.
    #[must_use]
    pub fn renamed(&self, query: &str, to: &str) -> String {
        let before = query.get(..self.at.start).unwrap_or_default();
        let after = query.get(self.at.end..).unwrap_or_default();
        format!("{before}{}{after}", escaped(to))
    }
}

/// As RFC 3986 writes any text within a query.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

/// Why an event of a client does not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// No JSON object, or one that readers could read differently.
    Unreadable(Unreadable),
    /// It asks for another model than the session is with.
    OtherModel,
}

impl From<Unreadable> for Kept {
    fn from(unreadable: Unreadable) -> Self {
        Self::Unreadable(unreadable)
    }
}

/// What the target is sent of an event of the client, who calls the model `asked`; the target calls it `sent`.
///
/// # Errors
/// When the event must not go on.
pub fn client_event<'a>(event: &'a str, asked: &str, sent: &str) -> Result<Cow<'a, str>, Kept> {
    let [own, session, response] = members(event, [MODEL, HOLDERS[0], HOLDERS[1]])?;
    let mut at = Vec::new();
    let inner = [session, response].into_iter().flatten();
    let inner = inner.filter(|holder| holder.get().starts_with('{'));
    let mut models: Vec<&RawValue> = own.into_iter().collect();
    for holder in inner {
        let [model] = members(holder.get(), [MODEL])?;
        models.extend(model);
    }
    for model in models {
        let name = text(model)?;
        if name != asked && name != sent {
            return Err(Kept::OtherModel);
        }
        if name != sent {
            at.push(place_in(model.get(), event.as_bytes()));
        }
    }
    // From the end, so that what stands before keeps its place.
    at.sort_by_key(|at| std::cmp::Reverse(at.start));
    let mut event = Cow::Borrowed(event);
    for at in at {
        let renamed = replaced(event.as_bytes(), &at, sent);
        let renamed = String::from_utf8(renamed).map_err(|_| Unreadable::NotJson)?;
        event = Cow::Owned(renamed);
    }
    Ok(event)
}

/// These members of an object, each of which may stand there once and in its own letters.
fn members<'a, const N: usize>(
    json: &'a str,
    names: [&'static str; N],
) -> Result<[Option<&'a RawValue>; N], Unreadable> {
    let mut reader = serde_json::Deserializer::from_str(json);
    let found = reader.deserialize_map(Reading(names)).map_err(|error| {
        if error.is_data() && error.to_string().starts_with(AMBIGUOUS) {
            Unreadable::Ambiguous
        } else {
            Unreadable::NotJson
        }
    })?;
    reader.end().map_err(|_| Unreadable::NotJson)?;
    Ok(found)
}

/// Said by the reader when a member is ambiguous; told from other mistakes by this word.
const AMBIGUOUS: &str = "ambiguous member";

struct Reading<const N: usize>([&'static str; N]);

impl<'de, const N: usize> Visitor<'de> for Reading<N> {
    type Value = [Option<&'de RawValue>; N];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = [None; N];
        while let Some(Key(key)) = map.next_key()? {
            let at = self.0.iter().position(|name| reads_as(&key, name));
            let Some((at, slot)) = at.and_then(|at| Some((at, found.get_mut(at)?))) else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let exact = self.0.get(at).is_some_and(|name| *name == key);
            if !exact || slot.replace(map.next_value::<&RawValue>()?).is_some() {
                return Err(A::Error::custom(AMBIGUOUS));
            }
        }
        Ok(found)
    }
}

#[derive(serde::Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_model_of_a_query_is_found_and_renamed_alone() {
        let query = "a=%20b&model=gpt%2Drealtime&c";
        let dialed = Dialed::read(query).unwrap().unwrap();
        assert_eq!(dialed.model, "gpt-realtime");
        assert_eq!(
            dialed.renamed(query, "org/m x"),
            "a=%20b&model=org%2Fm%20x&c"
        );
        for none in ["", "model=", "model", "models=a", "x=model"] {
            assert_eq!(Dialed::read(none).unwrap(), None, "{none}");
        }
    }

    #[test]
    fn a_query_that_two_readers_read_differently_is_refused() {
        for query in [
            "model=a&model=b",
            "model=a&MODEL=b",
            "Model=a",
            "mod%65l=a&model=b",
            "model=a;model=b",
            "x=1;model=b&model=a",
            "model=a+b",
            "model=%zz",
            "model=a&%zz=1",
        ] {
            assert_eq!(Dialed::read(query), Err(Unreadable::Ambiguous), "{query}");
        }
    }

    #[test]
    fn events_pass_byte_for_byte_but_for_the_model_s_name() {
        for event in [
            r#"{"type":"response.create"}"#,
            r#" { "type" : "session.update", "session": {"audio":{"input":{"transcription":{"model":"whisper-1"}}}} } "#,
            r#"{"type":"session.update","session":null}"#,
            r#"{"type":"session.update","session":{"model":"there"}}"#,
        ] {
            assert_eq!(
                client_event(event, "here", "there"),
                Ok(Cow::Borrowed(event))
            );
        }
        assert_eq!(
            client_event(
                r#"{"model":"here","session":{"a":1,"model": "here"},"response":{"model":"there"}}"#,
                "here",
                "there"
            )
            .unwrap(),
            r#"{"model":"there","session":{"a":1,"model": "there"},"response":{"model":"there"}}"#
        );
    }

    #[test]
    fn no_event_changes_the_model() {
        let kept = |event| client_event(event, "here", "there").unwrap_err();
        for other in [
            r#"{"model":"gpt"}"#,
            r#"{"type":"session.update","session":{"model":"gpt"}}"#,
            r#"{"type":"response.create","response":{"model":"gpt"}}"#,
            r#"{"session":{"mod\u0065l":"gpt"}}"#,
        ] {
            assert_eq!(kept(other), Kept::OtherModel, "{other}");
        }
        for twice in [
            r#"{"session":{"model":"here","model":"gpt"}}"#,
            r#"{"session":{"Model":"gpt"}}"#,
            r#"{"session":{},"SESSION":{"model":"gpt"}}"#,
        ] {
            assert_eq!(
                kept(twice),
                Kept::Unreadable(Unreadable::Ambiguous),
                "{twice}"
            );
        }
        for no_object in ["", "[]", "1", "{", r#"{"model":1}"#, "{}{}"] {
            assert_eq!(
                kept(no_object),
                Kept::Unreadable(Unreadable::NotJson),
                "{no_object}"
            );
        }
    }

    proptest! {
        #[test]
        fn a_renamed_query_names_what_was_asked(to in "\\PC{1,12}", before in "[a-z=&]{0,8}", after in "[a-z=&]{0,8}") {
            let query = format!("{before}&model=m&{after}");
            if let Ok(Some(dialed)) = Dialed::read(&query) {
                let renamed = dialed.renamed(&query, &to);
                prop_assert_eq!(Dialed::read(&renamed).unwrap().unwrap().model, to);
            }
        }

        #[test]
        fn no_text_makes_it_fail(event in "\\PC{0,60}") {
            let _refused = client_event(&event, "a", "b");
            let _refused = Dialed::read(&event);
        }
    }
}
