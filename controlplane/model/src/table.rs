//! The wanted routes of one gateway. A cut never edits them.

use crate::{address::BaseUrl, secret::KeyHash, secret::Secret};
use kill_wire::{Class, Name, RouteKind};
use std::collections::BTreeMap;
use std::fmt;

/// Most targets, routes or consumers of one gateway.
pub const MAX_ENTRIES: usize = 256;

/// A server a route can lead to.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its name.
    pub name: Name,
    /// Inside or outside the house.
    pub class: Class,
    /// Where it stands.
    pub base_url: BaseUrl,
    /// Sent as bearer instead of the consumer's key.
    pub key: Option<Secret>,
}

/// Which models a route takes: an exact id, `prefix*`, or `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelPattern(String);

impl ModelPattern {
    /// Takes a pattern of 1 to 128 visible characters with at most one `*`, at its end.
    pub fn new(text: &str) -> Result<Self, String> {
        let stars = text.matches('*').count();
        let visible =
            !text.is_empty() && text.len() <= 128 && text.chars().all(|c| !c.is_control());
        if !visible || stars > 1 || (stars == 1 && !text.ends_with('*')) {
            return Err(format!(
                "`{text}` is not a model pattern; expected an id, `prefix*` or `*`"
            ));
        }
        Ok(Self(text.to_owned()))
    }

    /// Whether `model` is meant.
    #[must_use]
    pub fn matches(&self, model: &str) -> bool {
        match self.0.strip_suffix('*') {
            Some(prefix) => model.starts_with(prefix),
            None => self.0 == model,
        }
    }

    /// The pattern as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A governed way through the gateway.
#[derive(Clone, Debug)]
pub struct Route {
    /// Its name.
    pub name: Name,
    /// What it leads to.
    pub kind: RouteKind,
    /// Models it takes.
    pub models: Vec<ModelPattern>,
    /// Where it leads, first choice first; indices into the table's targets.
    pub targets: Vec<usize>,
}

/// The agent that calls, known by its key.
#[derive(Clone, Debug)]
pub struct Consumer {
    /// Its name.
    pub name: Name,
    /// What is kept of its key.
    pub key: KeyHash,
    /// Routes it may take, in the order they are tried; indices into the table's routes.
    pub routes: Vec<usize>,
}

/// One thing wrong with a configuration: where, and what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The key, such as `gateway.routes[2].targets`.
    pub key: String,
    /// What is wrong and how to put it right.
    pub text: String,
}

impl Problem {
    /// At `key`, `text`.
    pub fn new(key: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            text: text.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.text)
    }
}

/// All of it, checked: names differ even without separators, every index leads somewhere.
#[derive(Clone, Debug, Default)]
pub struct RouteTable {
    targets: Vec<Target>,
    routes: Vec<Route>,
    consumers: Vec<Consumer>,
}

impl RouteTable {
    /// Checks everything and reports every problem at once.
    pub fn new(
        targets: Vec<Target>,
        routes: Vec<Route>,
        consumers: Vec<Consumer>,
    ) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut seen = BTreeMap::new();
        let mut once = |problems: &mut Vec<Problem>, key: String, name: &Name| {
            if let Some(first) = seen.insert(name.squashed(), key.clone()) {
                problems.push(Problem::new(key, format!("`{name}` reads like the name at {first}; a text message could not tell them apart")));
            }
        };
        for (what, len) in [
            ("targets", targets.len()),
            ("routes", routes.len()),
            ("consumers", consumers.len()),
        ] {
            if len > MAX_ENTRIES {
                problems.push(Problem::new(
                    format!("gateway.{what}"),
                    format!("{len} entries; at most {MAX_ENTRIES}"),
                ));
            }
        }
        for (at, route) in routes.iter().enumerate() {
            once(
                &mut problems,
                format!("gateway.routes[{at}].name"),
                &route.name,
            );
            if route.targets.is_empty() || route.targets.iter().any(|t| *t >= targets.len()) {
                problems.push(Problem::new(
                    format!("gateway.routes[{at}].targets"),
                    "expected at least one name out of gateway.targets",
                ));
            }
        }
        let mut keys = BTreeMap::new();
        for (at, consumer) in consumers.iter().enumerate() {
            once(
                &mut problems,
                format!("gateway.consumers[{at}].name"),
                &consumer.name,
            );
            if consumer.routes.is_empty() || consumer.routes.iter().any(|r| *r >= routes.len()) {
                problems.push(Problem::new(
                    format!("gateway.consumers[{at}].routes"),
                    "expected at least one name out of gateway.routes",
                ));
            }
            if let Some(first) = keys.insert(consumer.key, at) {
                problems.push(Problem::new(
                    format!("gateway.consumers[{at}].key_file"),
                    format!("the same key as consumers[{first}]; each consumer needs its own"),
                ));
            }
        }
        let mut target_names = BTreeMap::new();
        for (at, target) in targets.iter().enumerate() {
            if target_names.insert(target.name.squashed(), at).is_some() {
                problems.push(Problem::new(
                    format!("gateway.targets[{at}].name"),
                    format!("`{}` is used twice", target.name),
                ));
            }
        }
        if problems.is_empty() {
            Ok(Self {
                targets,
                routes,
                consumers,
            })
        } else {
            Err(problems)
        }
    }

    /// Targets, in the order of the configuration.
    #[must_use]
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// Routes, in the order of the configuration.
    #[must_use]
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// Consumers, in the order of the configuration.
    #[must_use]
    pub fn consumers(&self) -> &[Consumer] {
        &self.consumers
    }

    /// The first of this consumer's routes that takes `model`.
    #[must_use]
    pub fn route_for(&self, consumer: &Consumer, model: &str) -> Option<&Route> {
        consumer
            .routes
            .iter()
            .filter_map(|at| self.routes.get(*at))
            .find(|route| route.models.iter().any(|m| m.matches(model)))
    }

    /// The targets of a route, first choice first.
    pub fn targets_of<'a>(&'a self, route: &'a Route) -> impl Iterator<Item = &'a Target> {
        route.targets.iter().filter_map(|at| self.targets.get(*at))
    }
}
