//! The configuration of a node that holds it in memory (API-driven standalone mode): one document with a number for each
//! section. A section whose number is the one in force stays as it is, one whose number has passed is refused: what
//! somebody else wrote meanwhile is never written over.
//!
//! <https://apisix.apache.org/docs/apisix/deployment-modes/#standalone>

use super::compare::Stored;
use super::names::Kind;
use serde_json::{Map, Value, json};

const NUMBER: &str = "_conf_version";
/// Sections a node has whether or not it tells their numbers.
const SECTIONS: [&str; 4] = ["routes", "upstreams", "consumers", "global_rules"];

/// What a node holds. It has no `Debug`: keys stand in it.
#[derive(Clone, Default)]
pub(super) struct Document(Map<String, Value>);

impl Document {
    /// As it was read.
    pub(super) fn of(value: Option<Value>) -> Self {
        match value {
            Some(Value::Object(fields)) => Self(fields),
            _ => Self::default(),
        }
    }

    /// Whether the node holds nothing at all, as one that has just started.
    pub(super) fn is_empty(&self) -> bool {
        let mut sections = self.0.iter().filter(|(name, _)| !name.ends_with(NUMBER));
        sections.all(|(name, items)| {
            name.starts_with("X-") || items.as_array().is_some_and(Vec::is_empty)
        })
    }

    /// The entries of a section.
    pub(super) fn section(&self, name: &str) -> Vec<Value> {
        let items = self.0.get(name).and_then(Value::as_array);
        items.cloned().unwrap_or_default()
    }

    /// What it has of this kind.
    pub(super) fn stored(&self, kind: Kind) -> Vec<Stored> {
        let items = self.section(kind.section()).into_iter();
        let named = items.filter_map(|value| {
            let id = id(&value, kind.key())?.to_owned();
            Some(Stored { kind, id, value })
        });
        named.collect()
    }

    /// The body that puts these sections in place of those there, and leaves all others; and a mark of its own.
    pub(super) fn with(&self, sections: &[(&str, Vec<Value>)]) -> (Value, String) {
        let mut body = Map::new();
        let mut sum = 0;
        let told = self.0.iter().filter(|(name, _)| name.ends_with(NUMBER));
        for (name, number) in told {
            sum += number.as_u64().unwrap_or(0);
            body.insert(name.clone(), number.clone());
        }
        for name in SECTIONS {
            body.entry(format!("{name}{NUMBER}")).or_insert(json!(0));
        }
        for (name, items) in sections {
            let key = format!("{name}{NUMBER}");
            let number = body.get(&key).and_then(Value::as_u64).unwrap_or(0);
            body.insert(key, json!(number + 1));
            body.insert((*name).to_owned(), json!(items));
            sum += 1;
        }
        // Of one node the numbers only grow: no two documents that follow each other bear the same mark.
        (Value::Object(body), format!("portcullis-{sum}"))
    }
}

/// The section with this entry in place of the one of its name, or without it.
pub(super) fn replaced(
    items: Vec<Value>,
    key: &str,
    name: &str,
    with: Option<Value>,
) -> Vec<Value> {
    let others = items.into_iter().filter(|item| id(item, key) != Some(name));
    others.chain(with).collect()
}

fn id<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}

#[cfg(test)]
mod tests;
