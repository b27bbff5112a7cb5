//! What is ours in an APISIX, and what it is called there.

use kill_wire::Name;
use serde_json::{Value, json};

/// Begins the id of every object of ours, but for consumers.
pub(super) const PREFIX: &str = "portcullis-";
/// Begins a consumer's name: before 3.13 such a name takes no `-`.
pub(super) const CONSUMER_PREFIX: &str = "portcullis_";
/// Ends the id of the second route of a name.
const MODELS: &str = "-MODELS";
/// The global rule that a cut is.
pub(super) const CUT: &str = "portcullis-cut";
/// Whom a route lets in that nobody may take: a list without anybody is no list there.
pub(super) const NOBODY: &str = "portcullis_";
/// Header field of a refusal: which rule refused. Workers follow one after the other, and one refusal is like another.
pub(super) const MARK: &str = "x-portcullis-rule";
/// The plugin that refuses.
pub(super) const ABORT: &str = "fault-injection";

/// What marks an object as ours.
pub(super) fn labels() -> Value {
    json!({ "managed-by": "portcullis" })
}

/// Id of a route or an upstream.
pub(super) fn id(name: &Name) -> String {
    format!("{PREFIX}{name}")
}

/// Id of the second route of a name, for what goes through `ai-proxy-multi`. No name has a capital.
pub(super) fn models_id(name: &Name) -> String {
    format!("{PREFIX}{name}{MODELS}")
}

/// The route of ours that an id means, by the name it has here; what is not ours is left as it is.
#[must_use]
pub fn route_of(id: &str) -> &str {
    match id.strip_prefix(PREFIX) {
        Some(name) => name.strip_suffix(MODELS).unwrap_or(name),
        None => id,
    }
}

/// A consumer's name. Two names of one table differ in letters and digits, so that none is lost here.
pub(super) fn consumer(name: &Name) -> String {
    let plain = name
        .as_str()
        .replace(|c: char| !c.is_ascii_alphanumeric(), "_");
    format!("{CONSUMER_PREFIX}{plain}")
}

/// What a client of this key sends.
pub(super) fn bearer(key: &net_model::Secret) -> String {
    format!("Bearer {}", key.expose())
}

/// One kind of object that we keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Upstream,
    Consumer,
    Route,
}

impl Kind {
    /// In the order in which they can be written: a route refers to the others.
    pub(super) const ALL: [Self; 3] = [Self::Upstream, Self::Consumer, Self::Route];

    /// As paths and documents call it.
    pub(super) const fn section(self) -> &'static str {
        match self {
            Self::Upstream => "upstreams",
            Self::Consumer => "consumers",
            Self::Route => "routes",
        }
    }

    /// As people read it.
    pub(super) const fn one(self) -> &'static str {
        match self {
            Self::Upstream => "upstream",
            Self::Consumer => "consumer",
            Self::Route => "route",
        }
    }

    /// The field that names one.
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::Consumer => "username",
            Self::Upstream | Self::Route => "id",
        }
    }

    /// Whether an object of this id may be ours.
    pub(super) fn claims(self, id: &str) -> bool {
        id.starts_with(match self {
            Self::Consumer => CONSUMER_PREFIX,
            Self::Upstream | Self::Route => PREFIX,
        })
    }
}
