//! What a LiteLLM has, in our words, and what of it an overlay closes. Pure.
//!
//! **Invariant:** what an overlay closes is blocked here, and where LiteLLM's words are too few, more is: a key cannot be
//! kept from one model alone, nor a model from one key alone.

use super::CutBy;
use crate::Closing;
use kill_wire::{Class, Name, RouteKind, Timestamp};
use net_model::{
    BaseUrl, BreakerState, Consumer, KeyHash, ModelPattern, Overlay, Route, RouteTable, Target,
    TargetView, class_for, name_for,
};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// One virtual key, as `GET /key/list` tells it.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Key {
    /// Its SHA-256: what LiteLLM knows it by.
    #[serde(default)]
    pub(super) token: String,
    #[serde(default)]
    pub(super) key_alias: Option<String>,
    #[serde(default)]
    pub(super) blocked: Option<bool>,
    /// Models it may use; all where there are none.
    #[serde(default)]
    pub(super) models: Vec<String>,
}

/// One deployment of a model, as `GET /model/info` tells it. Keys in `litellm_params` are not read.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Model {
    #[serde(default)]
    pub(super) model_name: String,
    #[serde(default)]
    pub(super) litellm_params: Params,
    #[serde(default)]
    pub(super) model_info: Info,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Params {
    #[serde(default)]
    pub(super) model: Option<String>,
    #[serde(default)]
    pub(super) api_base: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Info {
    #[serde(default)]
    pub(super) id: String,
    /// It stands in the database; only such a one can be blocked.
    #[serde(default)]
    pub(super) db_model: bool,
    #[serde(default)]
    pub(super) blocked: Option<bool>,
}

impl Model {
    /// Where its answers come from. Ollama without an address is the one of LiteLLM's own host.
    pub(super) fn class(&self) -> Class {
        let base = self.litellm_params.api_base.as_deref().unwrap_or_default();
        let model = self.litellm_params.model.as_deref().unwrap_or_default();
        if base.is_empty() && model.starts_with("ollama") {
            return Class::Local;
        }
        class_for(base)
    }
}

/// What it has.
#[derive(Clone, Debug, Default)]
pub(super) struct Held {
    pub(super) keys: Vec<Key>,
    pub(super) models: Vec<Model>,
    /// Whether it has a database to write to.
    pub(super) database: bool,
}

/// What shall be blocked, by the ids LiteLLM has for them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Blocks {
    pub(super) ids: BTreeSet<String>,
    /// Must be closed and cannot be: models of LiteLLM's own file.
    pub(super) cannot: Vec<String>,
}

impl Held {
    /// In our words: a model is a route, a key is a consumer. Empty where there are too many of them, or where two cannot be
    /// told apart by name: then whatever is closed closes everything.
    pub(super) fn table(&self) -> RouteTable {
        let targets = [("local", Class::Local), ("cloud", Class::Cloud)];
        let target = |(name, class): (&str, Class)| {
            let base: Option<BaseUrl> = "http://127.0.0.1/v1".parse().ok();
            Some(Target::new(name_for(name)?, class, base?))
        };
        let targets: Vec<Target> = targets.into_iter().filter_map(target).collect();
        let mut routes = Vec::new();
        for (name, models) in self.routes() {
            let leads = |class| models.iter().any(|model| model.class() == class);
            let classes = [Class::Local, Class::Cloud].into_iter().enumerate();
            routes.push(Route {
                name,
                kind: RouteKind::Llm,
                models: ModelPattern::new("*").into_iter().collect(),
                targets: classes
                    .filter(|(_, class)| leads(*class))
                    .map(|(at, _)| at)
                    .collect(),
            });
        }
        let all: Vec<usize> = (0..routes.len()).collect();
        let consumers = self.consumers().into_keys();
        let consumers = consumers.map(|name| {
            let key = KeyHash::of(name.as_str().as_bytes());
            Consumer::new(name, key, all.clone())
        });
        RouteTable::new(targets, routes, consumers.collect()).unwrap_or_default()
    }

    /// Its models: where each leads, and whether it is blocked. How each fares is not known: LiteLLM finds out by calls that
    /// cost money.
    pub(super) fn views(&self) -> Vec<TargetView> {
        let views = self.routes().into_iter().map(|(name, models)| {
            let blocked = |model: &&Model| model.model_info.blocked == Some(true);
            let blocked = models.iter().all(blocked);
            let local = models.iter().all(|model| model.class() == Class::Local);
            TargetView {
                name,
                class: if local { Class::Local } else { Class::Cloud },
                state: if blocked {
                    BreakerState::Open
                } else {
                    BreakerState::Closed
                },
                since: Timestamp::default(),
                why: blocked.then(|| "blocked in LiteLLM".to_owned()),
                failures: 0,
                open: 0,
                health: None,
            }
        });
        views.collect()
    }

    fn routes(&self) -> BTreeMap<Name, Vec<&Model>> {
        let mut routes: BTreeMap<Name, Vec<&Model>> = BTreeMap::new();
        for model in &self.models {
            if let Some(name) = name_for(&model.model_name) {
                routes.entry(name).or_default().push(model);
            }
        }
        routes
    }

    /// A key without an alias is called by the start of its hash.
    fn consumers(&self) -> BTreeMap<Name, Vec<&Key>> {
        let mut consumers: BTreeMap<Name, Vec<&Key>> = BTreeMap::new();
        for key in &self.keys {
            let start = || key.token.get(..8).unwrap_or(&key.token);
            let named = name_for(key.key_alias.as_deref().unwrap_or_default());
            if let Some(name) = named.or_else(|| name_for(&format!("key-{}", start()))) {
                consumers.entry(name).or_default().push(key);
            }
        }
        consumers
    }

    /// What this overlay closes here.
    pub(super) fn closing(&self, overlay: &Overlay) -> Closing {
        Closing::of(overlay, &self.table())
    }

    /// What must be blocked for that.
    pub(super) fn blocks(&self, closing: &Closing, by: CutBy) -> Blocks {
        match by {
            CutBy::Keys => self.keys_for(closing),
            CutBy::Models => self.models_for(closing),
            CutBy::None => Blocks::default(),
        }
    }

    fn keys_for(&self, closing: &Closing) -> Blocks {
        let routes = self.routes();
        let of = |name: &Name| routes.get(name).map_or(&[][..], Vec::as_slice);
        let closed = closing.routes.iter().flat_map(|(name, _)| of(name));
        let outside = closing.no_cloud.iter().flat_map(|(name, _)| of(name));
        let outside = outside.filter(|model| model.class() == Class::Cloud);
        let models: BTreeSet<&str> = closed
            .chain(outside)
            .map(|model| model.model_name.as_str())
            .collect();
        let known: BTreeSet<&str> = self
            .models
            .iter()
            .map(|it| it.model_name.as_str())
            .collect();
        let named: BTreeSet<&Name> = closing.ways.iter().map(|(who, _, _)| who).collect();
        let mut ids = BTreeSet::new();
        for (name, keys) in self.consumers() {
            for key in keys {
                let may = models.iter().any(|model| may_use(key, model, &known));
                if closing.all.is_some() || named.contains(&name) || may {
                    ids.insert(key.token.clone());
                }
            }
        }
        Blocks {
            ids,
            cannot: Vec::new(),
        }
    }

    fn models_for(&self, closing: &Closing) -> Blocks {
        let mut blocks = Blocks::default();
        for model in &self.models {
            let name = name_for(&model.model_name);
            let is = |it: &Name| Some(it) == name.as_ref();
            let closed = closing.all.is_some()
                || closing.routes.iter().any(|(route, _)| is(route))
                || closing.ways.iter().any(|(_, route, _)| is(route))
                || model.class() == Class::Cloud
                    && closing.no_cloud.iter().any(|(route, _)| is(route));
            if closed && model.model_info.db_model {
                blocks.ids.insert(model.model_info.id.clone());
            } else if closed {
                blocks.cannot.push(model.model_name.clone());
            }
        }
        blocks
    }

    /// What is blocked now, by whomever.
    pub(super) fn blocked(&self, by: CutBy) -> BTreeSet<String> {
        let keys = self.keys.iter().filter(|key| key.blocked == Some(true));
        let models = self.models.iter().map(|model| &model.model_info);
        let models = models.filter(|info| info.blocked == Some(true));
        match by {
            CutBy::Keys => keys.map(|key| key.token.clone()).collect(),
            CutBy::Models => models.map(|info| info.id.clone()).collect(),
            CutBy::None => BTreeSet::new(),
        }
    }

    /// What people call a key or a model.
    pub(super) fn called(&self, id: &str) -> String {
        let key = self.keys.iter().find(|key| key.token == id);
        let alias = key.and_then(|key| key.key_alias.clone());
        let model = self.models.iter().find(|model| model.model_info.id == id);
        let name = alias.or_else(|| model.map(|model| model.model_name.clone()));
        name.unwrap_or_else(|| id.chars().take(8).collect())
    }
}

/// Whether a key may use a model. Lists hold more than models: access groups, wildcards, `all-proxy-models`; whatever is no
/// known model may be any.
fn may_use(key: &Key, model: &str, known: &BTreeSet<&str>) -> bool {
    key.models.is_empty()
        || key
            .models
            .iter()
            .any(|it| it == model || !known.contains(it.as_str()))
}

#[cfg(test)]
mod tests;
