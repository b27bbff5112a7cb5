//! What an existing set-up comes to here: targets, routes, consumers, and what is left behind with the reason. Pure.
//!
//! **Invariant:** no secret is in it, only where one stood and the file that shall hold it.

use kill_wire::{Class, Name};
use net_model::{BaseUrl, KeyHash, TargetKind, name_for};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeSet;

/// All of it.
#[derive(Debug, Default, Serialize)]
pub(super) struct Found {
    /// Where it was read.
    pub(super) source: String,
    pub(super) targets: Vec<FoundTarget>,
    pub(super) routes: Vec<FoundRoute>,
    pub(super) consumers: Vec<FoundConsumer>,
    /// Files to make before it works.
    pub(super) secrets: Vec<SecretFile>,
    /// What is not carried over, and why.
    pub(super) left: Vec<Left>,
}

#[derive(Debug, Serialize)]
pub(super) struct FoundTarget {
    pub(super) name: Name,
    pub(super) class: Class,
    pub(super) base_url: String,
    pub(super) kind: TargetKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) secret_file: Option<String>,
    /// What is asked for = what it is asked for instead.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) models: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct FoundRoute {
    pub(super) name: Name,
    pub(super) kind: &'static str,
    pub(super) models: Vec<String>,
    pub(super) targets: Vec<Name>,
}

#[derive(Debug, Serialize)]
pub(super) struct FoundConsumer {
    pub(super) name: Name,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) key_file: Option<String>,
    /// LiteLLM keeps the SHA-256 of a key, as this gateway does: the same key goes on working.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) key_sha256: Option<String>,
    pub(super) routes: Vec<Name>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct SecretFile {
    pub(super) file: String,
    /// Where its content stands now.
    pub(super) from: String,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct Left {
    pub(super) what: String,
    pub(super) why: String,
}

/// A server that a route leads to, before it has a name.
#[derive(Clone, Debug)]
pub(super) struct Server {
    pub(super) base_url: BaseUrl,
    pub(super) class: Class,
    pub(super) kind: TargetKind,
    /// Where its key stands now; none where it wants none.
    pub(super) secret: Option<String>,
    /// What to call it.
    pub(super) called: String,
}

impl Found {
    pub(super) fn leave(&mut self, what: impl Into<String>, why: impl Into<String>) {
        let left = Left {
            what: printable(&what.into()),
            why: why.into(),
        };
        if !self.left.contains(&left) {
            self.left.push(left);
        }
    }

    /// The target for this server, made where there is none yet; `asked` and `sent` are the two names of one model. A
    /// server that already knows `asked` by another name is a target of its own.
    pub(super) fn target(&mut self, server: &Server, asked: &str, sent: &str) -> Option<Name> {
        let renames = asked != sent && !asked.contains('*');
        let pair = format!("{asked}={sent}");
        let begins = format!("{asked}=");
        let base = server.base_url.to_string();
        let secret = server.secret.as_deref();
        let known = self.targets.iter().position(|target| {
            let other = target
                .models
                .iter()
                .any(|it| it.starts_with(&begins) && *it != pair);
            let same_key = match &target.secret_file {
                None => secret.is_none(),
                Some(file) => self
                    .secrets
                    .iter()
                    .any(|it| it.file == *file && Some(it.from.as_str()) == secret),
            };
            target.base_url == base && target.kind == server.kind && same_key && !other
        });
        let at = match known {
            Some(at) => at,
            None => {
                let name = self.free(&server.called)?;
                let secret_file = server.secret.as_ref().map(|from| self.secret(from, &name));
                self.targets.push(FoundTarget {
                    name,
                    class: server.class,
                    base_url: base,
                    kind: server.kind,
                    secret_file,
                    models: Vec::new(),
                });
                self.targets.len() - 1
            }
        };
        let target = self.targets.get_mut(at)?;
        if renames && !target.models.contains(&pair) {
            target.models.push(pair);
        }
        Some(target.name.clone())
    }

    /// The file for the secret that stands at `from`.
    pub(super) fn secret(&mut self, from: &str, of: &Name) -> String {
        if let Some(known) = self.secrets.iter().find(|it| it.from == from) {
            return known.file.clone();
        }
        let file = format!("secrets/{of}.key");
        self.secrets.push(SecretFile {
            file: file.clone(),
            from: from.to_owned(),
        });
        file
    }

    /// A route under a name that nothing else has.
    pub(super) fn route(&mut self, called: &str, models: Vec<String>, targets: Vec<Name>) {
        let mut seen = BTreeSet::new();
        let targets: Vec<Name> = targets
            .into_iter()
            .filter(|it| seen.insert(it.clone()))
            .collect();
        if targets.is_empty() {
            return;
        }
        match self.free(called) {
            Some(name) => self.routes.push(FoundRoute {
                name,
                kind: "llm",
                models,
                targets,
            }),
            None => self.leave(format!("route {called}"), "no name can be made for it"),
        }
    }

    /// A name that nothing else has, also without separators.
    pub(super) fn free(&self, called: &str) -> Option<Name> {
        let targets = self.targets.iter().map(|it| &it.name);
        let routes = self.routes.iter().map(|it| &it.name);
        let consumers = self.consumers.iter().map(|it| &it.name);
        let taken: BTreeSet<String> = targets
            .chain(routes)
            .chain(consumers)
            .map(Name::squashed)
            .collect();
        let bare = name_for(called)?;
        if !taken.contains(&bare.squashed()) {
            return Some(bare);
        }
        (2..1000).find_map(|n| {
            let kept: String = bare.as_str().chars().take(20).collect();
            let name: Name = format!("{kept}-{n}").parse().ok()?;
            (!taken.contains(&name.squashed())).then_some(name)
        })
    }

    /// A consumer by the hash of its key.
    pub(super) fn consumer_by_hash(&mut self, called: &str, hash: &str, routes: Vec<Name>) {
        match (self.free(called), KeyHash::from_hex(hash)) {
            (Some(name), Some(hash)) => self.consumers.push(FoundConsumer {
                name,
                key_file: None,
                key_sha256: Some(hash.to_hex()),
                routes,
            }),
            _ => self.leave(
                format!("key {called}"),
                "its hash is none that is known here",
            ),
        }
    }
}

/// What stands at this path of a document (RFC 6901), or nothing.
pub(super) fn at<'v>(value: &'v Value, path: &str) -> &'v Value {
    static NOTHING: Value = Value::Null;
    value.pointer(path).unwrap_or(&NOTHING)
}

/// Names of another's files, as they may stand on a terminal.
pub(super) fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(120).collect()
}
