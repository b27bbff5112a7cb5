//! What an object must be to be taken: its own properties, what it refers to, who refers to it.

use super::{defaults, kinds::Target, plugins};
use crate::apisix::etcd::{Answer, Objects};
use serde_json::{Map, Value};

/// Why a call is not done.
#[derive(Debug)]
pub(super) struct Refusal(pub(super) Answer);

impl From<Answer> for Refusal {
    fn from(answer: Answer) -> Self {
        Self(answer)
    }
}

impl Refusal {
    pub(super) fn invalid(why: impl std::fmt::Display) -> Self {
        Self(Answer::wrong(400, format!("invalid configuration: {why}")))
    }

    fn plain(why: impl Into<String>) -> Self {
        Self(Answer::wrong(400, why))
    }
}

type Fields = Map<String, Value>;
type Checked = Result<(), Refusal>;

/// Properties that every kind has.
const ALWAYS: [&str; 6] = ["id", "name", "desc", "labels", "create_time", "update_time"];

/// Checks an object and completes it; refers to the others.
pub(super) fn object(all: &Objects, target: &Target, value: &mut Fields) -> Checked {
    alone(target, value)?;
    references(all, target, value)
}

/// The same without what it refers to: standalone mode takes sections in any order.
pub(super) fn alone(target: &Target, value: &mut Fields) -> Checked {
    let name = target.kind.name;
    if name == "plugin_metadata" {
        return Ok(());
    }
    if let Some(other) = value
        .keys()
        .find(|key| !ALWAYS.contains(&key.as_str()) && !target.kind.may.contains(&key.as_str()))
    {
        return Err(Refusal::invalid(format!(
            "additional properties forbidden, found {other}"
        )));
    }
    named(target, value)?;
    for (key, property) in value.iter() {
        typed(key, property).map_err(|why| {
            Refusal::invalid(format!("property \"{key}\" validation failed: {why}"))
        })?;
    }
    required(name, value)?;
    if let Some(Value::Object(all)) = value.get_mut("plugins") {
        for (plugin, conf) in all.iter_mut() {
            plugins::check(plugin, conf, name == "credentials" || name == "consumers")
                .map_err(Refusal::plain)?;
        }
    }
    if let Some(Value::Object(upstream)) = value.get_mut("upstream") {
        upstream_of(upstream)?;
    }
    if name == "upstreams" {
        upstream_of(value)?;
    }
    defaults::complete(name, value);
    Ok(())
}

/// The id and, for a consumer, the name.
fn named(target: &Target, value: &mut Fields) -> Checked {
    let id = target.id.clone().unwrap_or_default();
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    if id.is_empty() || id.len() > 64 || !id.chars().all(fits) {
        return Err(Refusal::invalid(
            "property \"id\" validation failed: object matches none of the required",
        ));
    }
    if target.kind.name == "consumers" {
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        match value.get("username").and_then(Value::as_str) {
            None => return Err(Refusal::invalid("property \"username\" is required")),
            Some(name) if !name.chars().all(fits) => {
                let why = format!(
                    "property \"username\" validation failed: failed to match pattern \
                     \"^[a-zA-Z0-9_\\\\-]+$\" with \"{name}\""
                );
                return Err(Refusal::invalid(why));
            }
            Some(_) => {}
        }
    } else {
        value.insert("id".to_owned(), Value::String(id));
    }
    Ok(())
}

fn required(kind: &str, value: &Fields) -> Checked {
    let has = |key: &str| value.contains_key(key);
    match kind {
        "routes" if has("uri") == has("uris") => Err(Refusal::invalid(
            "value should match only one schema, but matches none",
        )),
        "routes"
            if !["upstream", "upstream_id", "service_id", "plugins", "script"]
                .iter()
                .any(|key| has(key)) =>
        {
            Err(Refusal::invalid("object matches none of the required"))
        }
        "global_rules" | "plugin_configs" | "consumer_groups" if !has("plugins") => {
            Err(Refusal::invalid("property \"plugins\" is required"))
        }
        "upstreams" if !has("nodes") && !has("service_name") => {
            Err(Refusal::invalid("object matches none of the required"))
        }
        _ => Ok(()),
    }
}

const fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "userdata",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) | Value::Object(_) => "table",
    }
}

fn typed(key: &str, value: &Value) -> Result<(), String> {
    let expected = |kind: &str| {
        Err(format!(
            "wrong type: expected {kind}, got {}",
            kind_of(value)
        ))
    };
    let fits = match key {
        "uri" | "host" | "desc" | "username" | "upstream_id" | "service_id"
        | "plugin_config_id" | "group_id" | "name" => ("string", value.is_string()),
        "uris" | "hosts" | "methods" | "vars" | "remote_addrs" => ("array", value.is_array()),
        "plugins" | "upstream" | "labels" | "timeout" | "checks" => ("object", value.is_object()),
        "priority" | "retries" => ("integer", value.is_i64() || value.is_u64()),
        "enable_websocket" => ("boolean", value.is_boolean()),
        "status" if value.as_u64().is_none_or(|status| status > 1) => {
            return Err("matches none of the enum values".to_owned());
        }
        _ => ("", true),
    };
    if !fits.1 {
        return expected(fits.0);
    }
    let empty = |text: &str| text.is_empty();
    if matches!(key, "uri" | "name") && value.as_str().is_some_and(empty) {
        return Err("string too short, expected at least 1, got 0".to_owned());
    }
    if key == "labels" {
        return labels(value);
    }
    Ok(())
}

fn labels(value: &Value) -> Result<(), String> {
    for (name, value) in value.as_object().into_iter().flatten() {
        let fits = value
            .as_str()
            .is_some_and(|text| !text.is_empty() && !text.contains(char::is_whitespace));
        if !fits {
            return Err(format!(
                "failed to validate {name} (matching \".*\"): failed to match pattern \"^\\\\S+$\""
            ));
        }
    }
    Ok(())
}

fn upstream_of(upstream: &mut Fields) -> Checked {
    let weighed = match upstream.get("nodes") {
        None => true,
        Some(Value::Object(nodes)) => nodes.values().all(|weight| weight.as_u64().is_some()),
        Some(Value::Array(nodes)) => nodes.iter().all(|node| {
            let host = node.get("host").is_some_and(Value::is_string);
            host && node.get("weight").and_then(Value::as_u64).is_some()
        }),
        Some(_) => false,
    };
    if !weighed {
        return Err(Refusal::invalid(
            "property \"nodes\" validation failed: object matches none of the required",
        ));
    }
    defaults::upstream(upstream);
    Ok(())
}

fn references(all: &Objects, target: &Target, value: &Fields) -> Checked {
    let text = |key: &str| value.get(key).and_then(Value::as_str);
    for (field, folder, called) in [
        ("upstream_id", "upstreams", "upstream"),
        ("service_id", "services", "service"),
        ("plugin_config_id", "plugin_configs", "plugin config"),
        ("group_id", "consumer_groups", "consumer group"),
    ] {
        if let Some(id) = text(field)
            && !all.contains_key(&format!("/{folder}/{id}"))
        {
            return Err(Refusal::plain(format!(
                "failed to fetch {called} info by {called} id [{id}], response code: 404"
            )));
        }
    }
    if let Some(owner) = &target.owner
        && !all.contains_key(&format!("/consumers/{owner}"))
    {
        let said = format!("consumer {owner} not found");
        return Err(Answer::wrong(404, said).into());
    }
    if target.kind.name == "global_rules" {
        return one_global_rule_each(all, target, value);
    }
    Ok(())
}

/// One plugin stands in one global rule at most.
fn one_global_rule_each(all: &Objects, target: &Target, value: &Fields) -> Checked {
    let own = target.id.as_deref().unwrap_or_default();
    for (key, other) in all {
        let Some(id) = key.strip_prefix("/global_rules/").filter(|id| *id != own) else {
            continue;
        };
        let theirs = other.value.get("plugins").and_then(Value::as_object);
        let mine = value.get("plugins").and_then(Value::as_object);
        let mut names = mine.into_iter().flatten().map(|(name, _)| name);
        if let Some(name) = names.find(|name| theirs.is_some_and(|all| all.contains_key(*name))) {
            return Err(Refusal::plain(format!(
                "plugin '{name}' already exists in global rule with id '{id}'"
            )));
        }
    }
    Ok(())
}

/// Nothing that others refer to is deleted.
pub(super) fn unused(all: &Objects, target: &Target) -> Checked {
    let field = match target.kind.name {
        "upstreams" => "upstream_id",
        "services" => "service_id",
        "plugin_configs" => "plugin_config_id",
        "consumer_groups" => "group_id",
        _ => return Ok(()),
    };
    let own = target.id.as_deref();
    for (key, other) in all {
        if other.value.get(field).and_then(Value::as_str) == own {
            let mut parts = key.trim_start_matches('/').splitn(2, '/');
            let kind = parts.next().unwrap_or_default().trim_end_matches('s');
            let id = parts.next().unwrap_or_default();
            return Err(Refusal::plain(format!(
                "can not delete this {}, {kind} [{id}] is still using it now",
                target.kind.one
            )));
        }
    }
    Ok(())
}
