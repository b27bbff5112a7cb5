//! The wanted routes of one gateway. A cut never edits them.

use crate::{policy::Policy, secret::KeyHash, target::Target};
use kill_wire::{Name, RouteKind, Timestamp};
use std::collections::BTreeMap;
use std::fmt;

/// Most targets, routes or consumers of one gateway.
pub const MAX_ENTRIES: usize = 256;

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
    /// The key it had before, while that one still counts.
    pub old_key: Option<OldKey>,
    /// Routes it may take, in the order they are tried; indices into the table's routes.
    pub routes: Vec<usize>,
    /// What limits and budgets of several consumers know it by.
    pub role: Option<Name>,
    /// Which targets may serve it, and when.
    pub policy: Policy,
}

/// A key that was replaced and still counts for a while, so that a client can be given the new one in peace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OldKey {
    /// What is kept of it.
    pub key: KeyHash,
    /// From then on it is no key.
    pub until: Timestamp,
}

impl Consumer {
    /// A consumer without a role, served by whatever its routes lead to.
    #[must_use]
    pub fn new(name: Name, key: KeyHash, routes: Vec<usize>) -> Self {
        Self {
            name,
            key,
            old_key: None,
            routes,
            role: None,
            policy: Policy::default(),
        }
    }
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
        let table = Self {
            targets,
            routes,
            consumers,
        };
        let mut problems = table.too_many();
        problems.extend(table.unclear_names());
        problems.extend(table.loose_ends());
        problems.extend(table.shared_keys());
        if problems.is_empty() {
            Ok(table)
        } else {
            Err(problems)
        }
    }

    fn too_many(&self) -> Vec<Problem> {
        [
            ("targets", self.targets.len()),
            ("routes", self.routes.len()),
            ("consumers", self.consumers.len()),
        ]
        .into_iter()
        .filter(|(_, len)| *len > MAX_ENTRIES)
        .map(|(what, len)| {
            Problem::new(
                format!("gateway.{what}"),
                format!("{len} entries; at most {MAX_ENTRIES}"),
            )
        })
        .collect()
    }

    /// Routes and consumers share one name space, since a command names either; targets have their own.
    fn unclear_names(&self) -> Vec<Problem> {
        let routes = self
            .routes
            .iter()
            .enumerate()
            .map(|(at, route)| (format!("gateway.routes[{at}].name"), &route.name));
        let consumers = self
            .consumers
            .iter()
            .enumerate()
            .map(|(at, one)| (format!("gateway.consumers[{at}].name"), &one.name));
        let targets = self
            .targets
            .iter()
            .enumerate()
            .map(|(at, target)| (format!("gateway.targets[{at}].name"), &target.name));
        let mut problems = repeated(routes.chain(consumers));
        problems.extend(repeated(targets));
        problems
    }

    fn loose_ends(&self) -> Vec<Problem> {
        let loose =
            |ends: &[usize], len: usize| ends.is_empty() || ends.iter().any(|end| *end >= len);
        let routes = self
            .routes
            .iter()
            .enumerate()
            .filter(|(_, route)| loose(&route.targets, self.targets.len()));
        let consumers = self
            .consumers
            .iter()
            .enumerate()
            .filter(|(_, one)| loose(&one.routes, self.routes.len()));
        routes
            .map(|(at, _)| {
                Problem::new(
                    format!("gateway.routes[{at}].targets"),
                    "expected at least one name out of gateway.targets",
                )
            })
            .chain(consumers.map(|(at, _)| {
                Problem::new(
                    format!("gateway.consumers[{at}].routes"),
                    "expected at least one name out of gateway.routes",
                )
            }))
            .collect()
    }

    fn shared_keys(&self) -> Vec<Problem> {
        let mut seen = BTreeMap::new();
        let mut problems = Vec::new();
        for (at, consumer) in self.consumers.iter().enumerate() {
            let keys = [consumer.key].into_iter();
            for key in keys.chain(consumer.old_key.map(|old| old.key)) {
                if let Some(first) = seen.insert(key, at) {
                    problems.push(Problem::new(
                        format!("gateway.consumers[{at}].key_file"),
                        format!("the same key as consumers[{first}]; each consumer needs its own"),
                    ));
                }
            }
        }
        problems
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

/// Names that differ only in separators: a text message could not tell them apart.
fn repeated<'a>(names: impl Iterator<Item = (String, &'a Name)>) -> Vec<Problem> {
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    let mut problems = Vec::new();
    for (key, name) in names {
        if let Some(first) = seen.get(&name.squashed()) {
            problems.push(Problem::new(key, format!("`{name}` reads like the name at {first}; a text message could not tell them apart")));
        } else {
            seen.insert(name.squashed(), key);
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;
    use kill_wire::Class;

    fn target(name: &str) -> Target {
        Target::new(
            name.parse().unwrap(),
            Class::Local,
            "http://127.0.0.1:1/v1".parse().unwrap(),
        )
    }

    fn route(name: &str, targets: Vec<usize>) -> Route {
        Route {
            name: name.parse().unwrap(),
            kind: RouteKind::Llm,
            models: vec![ModelPattern::new("gpt-*").unwrap()],
            targets,
        }
    }

    fn consumer(name: &str, key: &str, routes: Vec<usize>) -> Consumer {
        Consumer::new(name.parse().unwrap(), KeyHash::of(key.as_bytes()), routes)
    }

    #[test]
    fn every_mistake_is_reported_at_once() {
        let problems = RouteTable::new(
            vec![target("a"), target("a")],
            vec![route("rag-api", vec![]), route("rag.api", vec![7])],
            vec![consumer("claw", "k", vec![0]), consumer("paw", "k", vec![])],
        )
        .unwrap_err();
        let keys: Vec<&str> = problems
            .iter()
            .map(|problem| problem.key.as_str())
            .collect();
        assert_eq!(
            keys,
            [
                "gateway.routes[1].name",
                "gateway.targets[1].name",
                "gateway.routes[0].targets",
                "gateway.routes[1].targets",
                "gateway.consumers[1].routes",
                "gateway.consumers[1].key_file",
            ]
        );
    }

    #[test]
    fn a_model_takes_the_consumers_first_route_that_fits() {
        let table = RouteTable::new(
            vec![target("a")],
            vec![route("chat", vec![0])],
            vec![consumer("claw", "k", vec![0])],
        )
        .unwrap();
        let claw = table.consumers().first().unwrap();
        assert_eq!(
            table.route_for(claw, "gpt-5").map(|r| r.name.as_str()),
            Some("chat")
        );
        assert!(table.route_for(claw, "llama").is_none());
    }

    #[test]
    fn a_pattern_has_its_star_at_the_end() {
        assert!(
            ModelPattern::new("*x").is_err()
                && ModelPattern::new("").is_err()
                && ModelPattern::new("a**").is_err()
        );
        assert!(ModelPattern::new("*").is_ok_and(|any| any.matches("anything")));
    }
}
