//! Lists of models: what a target offers, and the same under the names and in the shape a client knows.

use super::{
    asked::{place_in, replaced},
    paths::Listing,
};
use net_model::{Api, TargetKind};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Most models of one target that are listed.
const MAX_MODELS: usize = 2000;

/// One model as a target wrote it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Under which name the target knows it.
    pub id: String,
    /// All it says of it.
    pub text: Box<RawValue>,
}

/// Whose list a client wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shape {
    /// `{"object":"list","data":[{"id":...}]}`.
    OpenAi,
    /// `{"data":[{"type":"model","id":...}],"has_more":false,...}`.
    Anthropic,
    /// `{"models":[{"name":...,"model":...}]}`.
    Ollama,
}

/// Where a target of this kind lists what can be asked for in an API of this shape; `None` where it has no such list.
#[must_use]
pub const fn list_of(kind: TargetKind, shape: Shape, of: Listing<'_>) -> Option<&'static str> {
    match (shape, of) {
        (Shape::Ollama, Listing::Running) if matches!(kind, TargetKind::Ollama) => Some("/api/ps"),
        (Shape::Ollama, Listing::Version) if matches!(kind, TargetKind::Ollama) => {
            Some("/api/version")
        }
        (Shape::Ollama, _) if matches!(kind, TargetKind::Ollama) => Some("/api/tags"),
        (Shape::Ollama, _) => None,
        // As it comes, this API lists no more than twenty: <https://docs.anthropic.com/en/api/models-list>.
        (Shape::Anthropic, _) if matches!(kind, TargetKind::Anthropic) => {
            Some("/v1/models?limit=1000")
        }
        (Shape::Anthropic, _) if kind.speaks(Api::Messages) => Some("/v1/models"),
        (Shape::OpenAi, _) if kind.speaks(Api::Chat) => Some("/v1/models"),
        _ => None,
    }
}

/// llama.cpp answers with both.
#[derive(Deserialize)]
struct List {
    data: Option<Vec<Box<RawValue>>>,
    models: Option<Vec<Box<RawValue>>>,
}

#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    model: Option<Cow<'a, str>>,
}

/// Reads a target's list, whichever of these shapes it has.
#[must_use]
pub fn entries(body: &[u8]) -> Option<Vec<Entry>> {
    let list: List = serde_json::from_slice(body).ok()?;
    let listed = list.data.or(list.models).unwrap_or_default();
    let named = listed.into_iter().take(MAX_MODELS).filter_map(|text| {
        let named: Named<'_> = serde_json::from_str(text.get()).ok()?;
        let id = named.id.or(named.model)?.into_owned();
        Some(Entry { id, text })
    });
    Some(named.collect())
}

#[derive(Deserialize)]
struct Places<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    name: Option<&'a RawValue>,
    #[serde(borrow)]
    model: Option<&'a RawValue>,
    #[serde(borrow, rename = "type")]
    kind: Option<&'a RawValue>,
}

#[derive(Serialize)]
struct AnthropicModel<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    id: &'a str,
    display_name: &'a str,
    created_at: &'a str,
}

impl Entry {
    /// The entry in `shape`, with the model called `name`. What the target says beyond that stays as it is.
    #[must_use]
    pub fn shown(&self, shape: Shape, name: &str) -> Box<RawValue> {
        let text = self.text.get();
        let Ok(places) = serde_json::from_str::<Places<'_>>(text) else {
            return self.text.clone();
        };
        if shape == Shape::Anthropic && places.kind.is_none() {
            return plain(name).unwrap_or_else(|| self.text.clone());
        }
        if name == self.id {
            return self.text.clone();
        }
        let members = match shape {
            Shape::OpenAi | Shape::Anthropic => [places.id, None],
            Shape::Ollama => [places.name, places.model],
        };
        let mut at: Vec<_> = members
            .into_iter()
            .flatten()
            .map(|raw| place_in(raw.get(), text.as_bytes()))
            .collect();
        // From behind, so that what was replaced moves no place that is still to come.
        at.sort_by_key(|place| std::cmp::Reverse(place.start));
        let mut renamed = text.as_bytes().to_vec();
        for place in at {
            renamed = replaced(&renamed, &place, name);
        }
        String::from_utf8(renamed)
            .ok()
            .and_then(|text| RawValue::from_string(text).ok())
            .unwrap_or_else(|| self.text.clone())
    }
}

/// A model as Anthropic's list holds it, where its target has no such list. When it was made is not known: the API has
/// the epoch stand for that.
fn plain(name: &str) -> Option<Box<RawValue>> {
    serde_json::value::to_raw_value(&AnthropicModel {
        kind: "model",
        id: name,
        display_name: name,
        created_at: "1970-01-01T00:00:00Z",
    })
    .ok()
}

#[derive(Serialize)]
struct OpenAiList<'a> {
    object: &'a str,
    data: &'a [Box<RawValue>],
}

#[derive(Serialize)]
struct AnthropicList<'a> {
    data: &'a [Box<RawValue>],
    has_more: bool,
    first_id: Option<&'a str>,
    last_id: Option<&'a str>,
}

#[derive(Serialize)]
struct OllamaList<'a> {
    models: &'a [Box<RawValue>],
}

/// A whole list as JSON text: `names` and `entries` stand for the same models in the same order.
#[must_use]
pub fn list(shape: Shape, names: &[String], entries: &[Box<RawValue>]) -> Vec<u8> {
    let text = match shape {
        Shape::OpenAi => serde_json::to_vec(&OpenAiList {
            object: "list",
            data: entries,
        }),
        Shape::Anthropic => serde_json::to_vec(&AnthropicList {
            data: entries,
            has_more: false,
            first_id: names.first().map(String::as_str),
            last_id: names.last().map(String::as_str),
        }),
        Shape::Ollama => serde_json::to_vec(&OllamaList { models: entries }),
    };
    text.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_in_any_shape() {
        let openai = br#"{"object":"list","data":[{"id":"a","x":1},{"no":"id"},7]}"#;
        let ollama = br#"{"models":[{"name":"a:latest","model":"a:latest","size":5}]}"#;
        let ids = |body: &[u8]| -> Vec<String> {
            entries(body)
                .unwrap()
                .into_iter()
                .map(|entry| entry.id)
                .collect()
        };
        assert_eq!(ids(openai), ["a"]);
        assert_eq!(ids(ollama), ["a:latest"]);
        let both = br#"{"models":[{"name":"x","model":"x"}],"object":"list","data":[{"id":"a","meta":{}}]}"#;
        assert_eq!(ids(both), ["a"]);
        assert!(ids(br#"{"version":"1"}"#).is_empty());
        assert!(entries(b"[]x").is_none());
    }

    #[test]
    fn an_entry_is_renamed_where_its_name_stands_and_nowhere_else() {
        let of = |text: &str| entries(text.as_bytes()).unwrap().remove(0);
        let ollama = of(r#"{"models":[{"details":{"name":"a"},"model":"a","name": "a"}]}"#);
        assert_eq!(
            ollama.shown(Shape::Ollama, "mine").get(),
            r#"{"details":{"name":"a"},"model":"mine","name": "mine"}"#
        );
        assert_eq!(ollama.shown(Shape::Ollama, "a").get(), ollama.text.get());
        let openai = of(r#"{"data":[{"id":"a","root":"a"}]}"#);
        assert_eq!(
            openai.shown(Shape::OpenAi, "b").get(),
            r#"{"id":"b","root":"a"}"#
        );
        assert_eq!(
            openai.shown(Shape::Anthropic, "b").get(),
            r#"{"type":"model","id":"b","display_name":"b","created_at":"1970-01-01T00:00:00Z"}"#
        );
    }

    #[test]
    fn only_targets_that_speak_an_api_are_asked_for_its_models() {
        let of = |kind, shape| list_of(kind, shape, Listing::Models);
        assert_eq!(of(TargetKind::Anthropic, Shape::OpenAi), None);
        assert_eq!(of(TargetKind::OpenAi, Shape::Anthropic), None);
        assert_eq!(of(TargetKind::Litellm, Shape::Ollama), None);
        assert_eq!(of(TargetKind::Ollama, Shape::Anthropic), Some("/v1/models"));
        assert_eq!(
            list_of(TargetKind::Ollama, Shape::Ollama, Listing::Running),
            Some("/api/ps")
        );
    }
}
