//! How much text a question or an answer carries, without reading all of its JSON.
//!
//! A key is found by its bytes. Within a JSON string quotes are escaped, so that words of a model cannot be taken
//! for one.

use memchr::memmem::Finder;
use net_model::Api;
use std::sync::LazyLock;

/// Keys of members that hold words of or for a model.
#[derive(Debug)]
pub(super) struct Keys(Vec<Finder<'static>>);

impl Keys {
    fn new(keys: &[&'static [u8]]) -> Self {
        Self(keys.iter().map(|key| Finder::new(*key)).collect())
    }
}

/// Whether a member of a request holds words for the model: of its messages, and of the tools it describes.
fn is_for_the_model(name: &[u8]) -> bool {
    match name {
        b"text" | b"arguments" | b"system" | b"instructions" | b"input" | b"prompt"
        | b"description" | b"thinking" => true,
        // And `reasoning_content`.
        name => name.ends_with(b"content"),
    }
}

// `content"` also finds `reasoning_content`.
static CHAT: LazyLock<Keys> = LazyLock::new(|| {
    Keys::new(&[
        b"content\"",
        b"\"arguments\"",
        b"\"reasoning\"",
        b"\"refusal\"",
    ])
});
static COMPLETIONS: LazyLock<Keys> = LazyLock::new(|| Keys::new(&[b"\"text\""]));
// The events that end a part repeat what its deltas said.
static RESPONSES: LazyLock<Keys> = LazyLock::new(|| Keys::new(&[b"\"delta\""]));
static RESPONSES_WHOLE: LazyLock<Keys> =
    LazyLock::new(|| Keys::new(&[b"\"text\"", b"\"arguments\""]));
static MESSAGES: LazyLock<Keys> =
    LazyLock::new(|| Keys::new(&[b"\"text\"", b"\"partial_json\"", b"\"thinking\""]));
static OLLAMA_CHAT: LazyLock<Keys> =
    LazyLock::new(|| Keys::new(&[b"\"content\"", b"\"thinking\""]));
static OLLAMA_GENERATE: LazyLock<Keys> =
    LazyLock::new(|| Keys::new(&[b"\"response\"", b"\"thinking\""]));
static NOTHING: Keys = Keys(Vec::new());
// What a client of the realtime API says in words: its items, and how the session shall go.
static ASKED: LazyLock<Keys> = LazyLock::new(|| {
    Keys::new(&[
        b"\"text\"",
        b"\"transcript\"",
        b"\"arguments\"",
        b"\"output\"",
        b"\"instructions\"",
        b"\"description\"",
    ])
});
static SOUND: LazyLock<Keys> = LazyLock::new(|| Keys::new(&[b"\"audio\""]));

impl Keys {
    /// What the model said, in a stream or a whole answer of this API.
    pub(super) fn of(api: Api, streams: bool) -> &'static Self {
        match api {
            Api::Chat => &CHAT,
            Api::Completions => &COMPLETIONS,
            Api::Responses | Api::Realtime if streams => &RESPONSES,
            Api::Responses | Api::Realtime => &RESPONSES_WHOLE,
            Api::Messages => &MESSAGES,
            Api::OllamaChat => &OLLAMA_CHAT,
            Api::OllamaGenerate => &OLLAMA_GENERATE,
            Api::Embeddings | Api::OllamaEmbed => &NOTHING,
        }
    }

    /// Words in events of a realtime client.
    pub(super) fn asked() -> &'static Self {
        &ASKED
    }

    /// Sound in events of a realtime client, as base64.
    pub(super) fn sound() -> &'static Self {
        &SOUND
    }

    /// What a realtime server says bit by bit.
    pub(super) fn delta() -> &'static Self {
        &RESPONSES
    }

    /// What one line, or one whole body, carries.
    pub(super) fn read(&self, json: &[u8]) -> Text {
        let mut text = Text::default();
        for key in &self.0 {
            text.after(key, json);
        }
        text
    }
}

/// Bytes of the words for the model in a request: of its messages, and of the tools it describes; of all of it where
/// no member is known. Pictures do not count.
#[must_use]
pub fn prompt_bytes(body: &[u8]) -> u64 {
    let mut text = Text::default();
    let mut rest = body;
    // From string to string: a prompt is long, and looked through once.
    while let Some(at) = memchr::memchr(b'"', rest) {
        rest = rest.get(at + 1..).unwrap_or_default();
        let (length, _) = string(rest);
        let name = rest.get(..length).unwrap_or_default();
        rest = rest.get(length + 1..).unwrap_or_default();
        if is_for_the_model(name) {
            rest = text.member(rest);
        }
    }
    match text.bytes {
        0 => body.len() as u64,
        bytes => bytes,
    }
}

/// An amount of text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Text {
    /// Pieces that are not empty.
    pub(super) pieces: u64,
    /// Bytes, as they were before JSON escaped them.
    pub(super) bytes: u64,
}

impl Text {
    /// One piece of so many bytes.
    pub(super) const fn piece(bytes: usize) -> Self {
        Self {
            pieces: 1,
            bytes: bytes as u64,
        }
    }

    /// The sum.
    pub(super) const fn plus(self, other: Self) -> Self {
        Self {
            pieces: self.pieces.saturating_add(other.pieces),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }

    /// What stands after each such key.
    fn after(&mut self, key: &Finder<'_>, json: &[u8]) {
        let mut rest = json;
        while let Some(at) = key.find(rest) {
            rest = self.member(rest.get(at + key.needle().len()..).unwrap_or_default());
        }
    }

    /// The string after a key's closing quote, or the strings of the list after it; gives what stands behind them.
    fn member<'a>(&mut self, after_key: &'a [u8]) -> &'a [u8] {
        let mut rest = after_key;
        let Some(value) = member(rest) else {
            return rest;
        };
        let list = value.strip_prefix(b"[");
        let mut next = list.unwrap_or(value);
        while let Some(text) = next.trim_ascii_start().strip_prefix(b"\"") {
            let (raw, bytes) = string(text);
            self.bytes = self.bytes.saturating_add(bytes);
            self.pieces = self.pieces.saturating_add(u64::from(bytes > 0));
            rest = text.get(raw + 1..).unwrap_or_default();
            match rest.trim_ascii_start().strip_prefix(b",") {
                Some(more) if list.is_some() => next = more,
                _ => break,
            }
        }
        rest
    }
}

/// The value after a key's closing quote.
pub(super) fn member(after_key: &[u8]) -> Option<&[u8]> {
    let value = after_key.trim_ascii_start().strip_prefix(b":")?;
    Some(value.trim_ascii_start())
}

/// Bytes up to the closing quote of a JSON string, all of them when it does not close; and how many they stand for.
fn string(text: &[u8]) -> (usize, u64) {
    let (mut from, mut saved) = (0, 0_u64);
    while let Some(at) = text
        .get(from..)
        .and_then(|rest| memchr::memchr2(b'"', b'\\', rest))
    {
        let at = from + at;
        if text.get(at) == Some(&b'"') {
            return (at, (at as u64).saturating_sub(saved));
        }
        from = at + 2;
        saved += 1;
        if text.get(at + 1) == Some(&b'u') {
            from = at + 6;
            saved += 4 - utf8_length(text.get(at + 2..at + 6));
        }
    }
    (text.len(), (text.len() as u64).saturating_sub(saved))
}

/// Bytes that stand after the first one for a character written as `\uXXXX`; a pair of surrogates makes four in all.
fn utf8_length(hex: Option<&[u8]>) -> u64 {
    match hex {
        Some([b'0', b'0', b'0'..=b'7', _]) => 0,
        Some([b'0', b'0'..=b'7', ..]) => 1,
        Some([b'd' | b'D', b'8'..=b'9' | b'a'..=b'f' | b'A'..=b'F', ..]) => 1,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    #[test]
    fn words_of_a_request_count_and_pictures_do_not() {
        let body = br#"{"model":"m","messages":[{"role":"user","content":"12345678"},{"content":[
            {"type":"text","text":"1234"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]}]}"#;
        assert_eq!(prompt_bytes(body), 12);
        assert_eq!(
            prompt_bytes(br#"{"input": ["123", "45" , "6"],"model":"m"}"#),
            6
        );
        assert_eq!(prompt_bytes(br#"{"prompt":"1234"}"#), 4);
        assert_eq!(
            prompt_bytes(br#"{"system":"12","messages":[{"content":"3"}]}"#),
            3
        );
        assert_eq!(prompt_bytes(b"{}"), 2);
    }

    #[test]
    fn a_string_that_does_not_close_is_read_to_the_end() {
        for (json, bytes) in [
            (r#"{"text":"abc"#, 3),
            (r#"{"text":"abc\"#, 3),
            (r#"{"text":"a\u00"#, 1),
            (r#"{"text":["#, 0),
            (r#"{"text""#, 0),
        ] {
            let read = COMPLETIONS.read(json.as_bytes()).bytes;
            assert!(read.abs_diff(bytes) <= 2, "{json}: {read}");
        }
    }

    /// What is for the model in a value that was read whole.
    fn words(value: &Value) -> u64 {
        if let Some(items) = value.as_array() {
            return items.iter().map(words).sum();
        }
        let said = |text: &Value| text.as_str().map(|text| text.len() as u64);
        let member = |(name, value): (&String, &Value)| {
            let own = value.as_array().map_or_else(
                || said(value).unwrap_or(0),
                |items| items.iter().map_while(said).sum(),
            );
            let counts = is_for_the_model(name.as_bytes());
            words(value) + if counts { own } else { 0 }
        };
        let members = value.as_object();
        members.map_or(0, |members| members.iter().map(member).sum())
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            ".{0,12}".prop_map(Value::from),
        ];
        let name = prop::sample::select(vec![
            "content",
            "reasoning_content",
            "text",
            "input",
            "prompt",
            "role",
            "url",
            "text_",
        ]);
        leaf.prop_recursive(4, 40, 5, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::vec((name.clone(), inner), 0..5).prop_map(|members| {
                    let owned = members.into_iter().map(|(name, it)| (name.to_owned(), it));
                    Value::Object(owned.collect())
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_request_s_words_are_those_of_its_members(request in json(), pretty in any::<bool>()) {
            let body = if pretty { format!("{request:#}") } else { request.to_string() };
            let expected = match words(&request) {
                0 => body.len() as u64,
                bytes => bytes,
            };
            prop_assert_eq!(prompt_bytes(body.as_bytes()), expected);
        }

        #[test]
        fn escapes_do_not_change_the_length(text in ".{0,40}", ascii in any::<bool>()) {
            let mut json = serde_json::json!({"text": text}).to_string();
            if ascii {
                json = json.chars().map(|letter| match letter {
                    ' '..='~' => letter.to_string(),
                    _ => letter.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect(),
                }).collect();
            }
            let expected = Text { pieces: u64::from(!text.is_empty()), bytes: text.len() as u64 };
            prop_assert_eq!(COMPLETIONS.read(json.as_bytes()), expected);
        }
    }
}
