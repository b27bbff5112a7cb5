//! Which kinds of objects there are, and which one a path names.

use super::check::Refusal;
use crate::apisix::etcd::Answer;
use serde_json::{Map, Value};

/// One kind of object.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) name: &'static str,
    /// As errors call one.
    pub(super) one: &'static str,
    pub(super) posts: bool,
    pub(super) patches: bool,
    /// Properties it may have, besides those that every kind has.
    pub(super) may: &'static [&'static str],
}

const fn kind(name: &'static str, one: &'static str, may: &'static [&'static str]) -> Kind {
    Kind {
        name,
        one,
        posts: true,
        patches: true,
        may,
    }
}

static KINDS: [Kind; 13] = [
    kind(
        "routes",
        "route",
        &[
            "uri",
            "uris",
            "host",
            "hosts",
            "remote_addr",
            "remote_addrs",
            "methods",
            "vars",
            "priority",
            "status",
            "plugins",
            "plugin_config_id",
            "upstream",
            "upstream_id",
            "service_id",
            "timeout",
            "enable_websocket",
            "filter_func",
            "script",
            "script_id",
        ],
    ),
    kind(
        "services",
        "service",
        &[
            "plugins",
            "upstream",
            "upstream_id",
            "hosts",
            "enable_websocket",
            "script",
        ],
    ),
    kind(
        "upstreams",
        "upstream",
        &[
            "type",
            "nodes",
            "checks",
            "retries",
            "retry_timeout",
            "timeout",
            "scheme",
            "hash_on",
            "key",
            "pass_host",
            "upstream_host",
            "service_name",
            "discovery_type",
            "discovery_args",
            "tls",
            "keepalive_pool",
        ],
    ),
    Kind {
        posts: false,
        patches: false,
        ..kind(
            "consumers",
            "consumer",
            &["username", "plugins", "group_id"],
        )
    },
    Kind {
        posts: false,
        patches: false,
        ..kind("credentials", "credential", &["plugins"])
    },
    Kind {
        posts: false,
        ..kind("global_rules", "global rule", &["plugins"])
    },
    Kind {
        posts: false,
        ..kind("plugin_configs", "plugin config", &["plugins"])
    },
    Kind {
        posts: false,
        ..kind("consumer_groups", "consumer group", &["plugins"])
    },
    Kind {
        posts: false,
        patches: false,
        ..kind("plugin_metadata", "plugin_metadata", &["log_format"])
    },
    kind(
        "ssls",
        "ssl",
        &["cert", "key", "sni", "snis", "type", "status", "client"],
    ),
    kind("protos", "proto", &["content"]),
    kind(
        "stream_routes",
        "stream route",
        &[
            "server_addr",
            "server_port",
            "remote_addr",
            "sni",
            "upstream",
            "upstream_id",
            "plugins",
            "protocol",
            "service_id",
        ],
    ),
    Kind {
        posts: false,
        ..kind(
            "secrets",
            "secret",
            &["uri", "prefix", "token", "namespace"],
        )
    },
];

pub(super) fn find(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}

/// What a call is about.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) kind: &'static Kind,
    /// The consumer, where the kind is a credential.
    pub(super) owner: Option<String>,
    pub(super) id: Option<String>,
    /// Below the object, for a PATCH of a part.
    pub(super) sub: Option<String>,
}

impl Target {
    /// Reads what follows `/apisix/admin/`.
    pub(super) fn of(path: &str) -> Result<Self, Answer> {
        let mut parts = path.split('/').filter(|part| !part.is_empty());
        let name = parts.next().unwrap_or_default();
        let unknown = || Answer::wrong(400, format!("Unsupported resource type: {name}"));
        let kind = find(name).filter(|kind| kind.name != "credentials");
        let kind = kind.ok_or_else(unknown)?;
        let mut id = parts.next().map(str::to_owned);
        let rest: Vec<&str> = parts.collect();
        if kind.name == "consumers"
            && let Some((&"credentials", below)) = rest.split_first()
        {
            return Ok(Self {
                kind: find("credentials").ok_or_else(unknown)?,
                owner: id,
                id: below.first().map(|id| (*id).to_owned()),
                sub: None,
            });
        }
        let mut sub = rest.join("/");
        if kind.name == "secrets" && !rest.is_empty() {
            id = id.map(|manager| format!("{manager}/{sub}"));
            sub.clear();
        }
        Ok(Self {
            kind,
            owner: None,
            id,
            sub: (!sub.is_empty()).then_some(sub),
        })
    }

    /// Under which keys its kind is stored.
    pub(super) fn folder(&self) -> String {
        match &self.owner {
            Some(owner) => format!("/consumers/{owner}/credentials/"),
            None => format!("/{}/", self.kind.name),
        }
    }

    pub(super) fn key(&self) -> Result<String, Refusal> {
        let missing = || Answer::wrong(400, format!("missing {} id", self.kind.one));
        let id = self.id.as_deref().ok_or_else(missing)?;
        Ok(format!("{}{id}", self.folder()))
    }

    /// The same, with the id that the object itself says: a consumer has a name in place of one.
    pub(super) fn named_by(&self, value: &Map<String, Value>) -> Result<Self, Refusal> {
        let field = if self.kind.name == "consumers" {
            "username"
        } else {
            "id"
        };
        let said = value.get(field).and_then(Value::as_str);
        match (&self.id, said) {
            (Some(asked), Some(said)) if asked != said => {
                Err(Answer::wrong(400, format!("wrong {} id", self.kind.one)).into())
            }
            (None, Some(said)) => Ok(Self {
                id: Some(said.to_owned()),
                ..self.clone()
            }),
            (None | Some(_), _) => Ok(self.clone()),
        }
    }
}
