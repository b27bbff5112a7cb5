//! What a request body says that matters to a gateway: read once, borrowed, and never written anew.

use net_model::Api;
use serde::{
    Deserialize, Deserializer as _,
    de::{self, IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;
use std::{borrow::Cow, fmt, ops::Range};

/// A request body that this gateway cannot read as the target would.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// No JSON object, or a member of it that counts here is of the wrong type.
    #[error("the body is not the JSON object that this path takes")]
    NotJson,
    /// A member that counts here stands there twice, or in letters of another case, which some servers take for it.
    #[error("the body has one member twice, or in another case")]
    Ambiguous,
}

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked<'a> {
    /// The model.
    pub model: Option<Cow<'a, str>>,
    /// Whether the answer shall stream.
    pub stream: bool,
    /// Most tokens of an answer, where the request says it.
    pub max_tokens: Option<u64>,
    /// How many answers.
    pub n: u32,
    /// Whether the target shall go on when nobody listens any more.
    pub background: bool,
    /// Where the model's name stands in the body, quotes included.
    model_at: Range<usize>,
}

impl<'a> Asked<'a> {
    /// Reads a request of `api`.
    ///
    /// A member that counts is refused when it comes twice, or in other letters than the API's: the target might read
    /// the other one. Ollama is written in Go, whose JSON reader takes `MODEL` for `model`
    /// (<https://pkg.go.dev/encoding/json#Unmarshal>).
    pub fn read(api: Api, body: &'a [u8]) -> Result<Self, Unreadable> {
        let mut reader = serde_json::Deserializer::from_slice(body);
        let members = reader
            .deserialize_map(Reading)
            .map_err(|error| why(&error))?;
        reader.end().map_err(|_| Unreadable::NotJson)?;
        let model = members.raw(Member::Model).filter(|raw| raw.get() != "null");
        let (name, model_at) = match model {
            None => (None, 0..0),
            Some(raw) => (Some(text(raw)?), place_in(raw.get(), body)),
        };
        Ok(Self {
            model: name,
            stream: members
                .flag(Member::Stream)?
                .unwrap_or_else(|| streams_unless_told(api)),
            max_tokens: members.max_tokens(api),
            n: members.count(Member::N).max(members.count(Member::BestOf)),
            background: members
                .raw(Member::Background)
                .is_some_and(|raw| !matches!(raw.get(), "false" | "null")),
            model_at,
        })
    }

    /// What a session asks for by its handshake: `model`, of which answers flow.
    #[must_use]
    pub const fn session(model: &'a str) -> Self {
        Self {
            model: Some(Cow::Borrowed(model)),
            stream: true,
            max_tokens: None,
            n: 1,
            background: false,
            model_at: 0..0,
        }
    }

    /// The same without the body it was read from.
    #[must_use]
    pub fn into_owned(self) -> Asked<'static> {
        Asked {
            model: self.model.map(|model| Cow::Owned(model.into_owned())),
            stream: self.stream,
            max_tokens: self.max_tokens,
            n: self.n,
            background: self.background,
            model_at: self.model_at,
        }
    }

    /// The same body with another model in it; no other byte is touched.
    ///
    /// `body` must be the one that was read.
    #[must_use]
    pub fn renamed(&self, body: &[u8], to: &str) -> Vec<u8> {
        replaced(body, &self.model_at, to)
    }
}

/// Members of request bodies that count here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Member {
    Model,
    Stream,
    MaxTokens,
    MaxCompletionTokens,
    MaxOutputTokens,
    Options,
    N,
    BestOf,
    Background,
}

const MEMBERS: [(&str, Member); 9] = [
    ("model", Member::Model),
    ("stream", Member::Stream),
    ("max_tokens", Member::MaxTokens),
    ("max_completion_tokens", Member::MaxCompletionTokens),
    ("max_output_tokens", Member::MaxOutputTokens),
    ("options", Member::Options),
    ("n", Member::N),
    ("best_of", Member::BestOf),
    ("background", Member::Background),
];

/// Said by the reader when a member is ambiguous; told from other mistakes by this word.
const AMBIGUOUS: &str = "ambiguous member";

fn why(error: &serde_json::Error) -> Unreadable {
    if error.is_data() && error.to_string().starts_with(AMBIGUOUS) {
        Unreadable::Ambiguous
    } else {
        Unreadable::NotJson
    }
}

/// The members that count, as they stand in the body.
#[derive(Default)]
struct Members<'a>([Option<&'a RawValue>; MEMBERS.len()]);

impl<'a> Members<'a> {
    fn raw(&self, member: Member) -> Option<&'a RawValue> {
        self.0.get(member as usize).copied().flatten()
    }

    fn flag(&self, member: Member) -> Result<Option<bool>, Unreadable> {
        self.raw(member).map_or(Ok(None), |raw| {
            serde_json::from_str(raw.get()).map_err(|_| Unreadable::NotJson)
        })
    }

    /// A figure that is no whole number is the target's to refuse.
    fn number(&self, member: Member) -> Option<u64> {
        serde_json::from_str(self.raw(member)?.get()).ok()
    }

    fn count(&self, member: Member) -> u32 {
        let many = self.number(member).unwrap_or(1);
        u32::try_from(many).unwrap_or(u32::MAX).max(1)
    }

    fn max_tokens(&self, api: Api) -> Option<u64> {
        match api {
            Api::OllamaChat | Api::OllamaGenerate | Api::OllamaEmbed => {
                let options: Options =
                    serde_json::from_str(self.raw(Member::Options)?.get()).ok()?;
                // -1: without end.
                options
                    .num_predict
                    .and_then(|many| u64::try_from(many).ok())
            }
            Api::Responses => self.number(Member::MaxOutputTokens),
            Api::Chat => self
                .number(Member::MaxCompletionTokens)
                .or_else(|| self.number(Member::MaxTokens)),
            Api::Completions | Api::Embeddings | Api::Realtime | Api::Messages => {
                self.number(Member::MaxTokens)
            }
        }
    }
}

#[derive(Deserialize)]
struct Options {
    #[serde(default)]
    num_predict: Option<i64>,
}

const fn streams_unless_told(api: Api) -> bool {
    matches!(api, Api::OllamaChat | Api::OllamaGenerate)
}

struct Reading;

impl<'de> Visitor<'de> for Reading {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Members::default();
        while let Some(key) = map.next_key::<Key>()? {
            match key {
                Key::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
                Key::Ambiguous => return Err(de::Error::custom(AMBIGUOUS)),
                Key::Known(member) => {
                    let value = map.next_value::<&RawValue>()?;
                    let slot = members.0.get_mut(member as usize);
                    if slot.is_some_and(|slot| slot.replace(value).is_some()) {
                        return Err(de::Error::custom(AMBIGUOUS));
                    }
                }
            }
        }
        Ok(members)
    }
}

enum Key {
    Known(Member),
    Ambiguous,
    Other,
}

impl Key {
    fn of(key: &str) -> Self {
        for (name, member) in MEMBERS {
            if key == name {
                return Self::Known(member);
            }
            if reads_as(key, name) {
                return Self::Ambiguous;
            }
        }
        Self::Other
    }
}

/// Whether a reader that folds letters (Unicode's simple folding) takes `key` for `name`.
pub(super) fn reads_as(key: &str, name: &str) -> bool {
    let folded = key.chars().map(|letter| match letter {
        'ſ' => 's',
        '\u{212a}' => 'k',
        other => other.to_ascii_lowercase(),
    });
    folded.eq(name.chars())
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;
        impl Visitor<'_> for Name {
            type Value = Key;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a member's name")
            }

            fn visit_str<E>(self, key: &str) -> Result<Key, E> {
                Ok(Key::of(key))
            }
        }
        deserializer.deserialize_str(Name)
    }
}

pub(super) fn text(raw: &RawValue) -> Result<Cow<'_, str>, Unreadable> {
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
    serde_json::from_str::<Text<'_>>(raw.get())
        .map(|text| text.0)
        .map_err(|_| Unreadable::NotJson)
}

/// Where `part`, which was borrowed from `whole`, stands in it.
pub(super) fn place_in(part: &str, whole: &[u8]) -> Range<usize> {
    let start = part.as_ptr().addr().saturating_sub(whole.as_ptr().addr());
    start..start + part.len()
}

/// `whole` with the JSON string `to` in place of what stands `at`.
pub(super) fn replaced(whole: &[u8], at: &Range<usize>, to: &str) -> Vec<u8> {
    let name = serde_json::to_vec(to).unwrap_or_default();
    let before = whole.get(..at.start).unwrap_or_default();
    let after = whole.get(at.end..).unwrap_or_default();
    [before, &name, after].concat()
}

#[cfg(test)]
mod tests;
