//! Whether an object is as it shall be. What an APISIX takes it completes by the defaults of its version.

use super::names::Kind;
use super::objects::Object;
use crate::Drift;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What the gateway says of an object that says nothing of how it works.
const PASSING: [&str; 3] = ["create_time", "update_time", "modifiedIndex"];

/// Defaults that are known to be filled in: where, and what. Of a version that fills in others the object is written
/// once more, and then known as it came back.
const DEFAULTS: [(&str, &str); 54] = [
    ("hash_on", "\"vars\""),
    ("plugins.key-auth.query", "\"apikey\""),
    ("plugins.key-auth.realm", "\"key\""),
    ("plugins.consumer-restriction.type", "\"consumer_name\""),
    ("plugins.consumer-restriction.rejected_code", "403"),
    ("plugins.proxy-rewrite.use_real_request_uri_unsafe", "false"),
    ("plugins.request-id.algorithm", "\"uuid\""),
    (
        "plugins.request-id.range_id",
        r#"{"length":16,"char_set":"abcdefghijklmnopqrstuvwxyzABCDEFGHIGKLMNOPQRSTUVWXYZ0123456789"}"#,
    ),
    ("plugins.limit-count.window_type", "\"fixed\""),
    ("plugins.limit-count.allow_degradation", "false"),
    ("plugins.limit-count.show_limit_quota_header", "true"),
    ("plugins.limit-count.sync_interval", "-1"),
    ("plugins.limit-conn.policy", "\"local\""),
    ("plugins.limit-conn.allow_degradation", "false"),
    ("plugins.limit-conn.only_use_default_delay", "false"),
    ("plugins.limit-conn.key_ttl", "3600"),
    ("checks.active.timeout", "1"),
    ("checks.active.concurrency", "10"),
    ("checks.active.http_path", "\"/\""),
    ("checks.active.https_verify_certificate", "true"),
    ("checks.active.healthy.http_statuses", "[200,302]"),
    ("checks.active.unhealthy.http_failures", "5"),
    ("checks.active.unhealthy.timeouts", "3"),
    (
        "checks.active.unhealthy.http_statuses",
        "[429,404,500,501,502,503,504,505]",
    ),
    ("plugins.key-auth._meta", "{}"),
    ("plugins.consumer-restriction._meta", "{}"),
    ("plugins.proxy-rewrite._meta", "{}"),
    ("plugins.proxy-buffering._meta", "{}"),
    ("plugins.request-id._meta", "{}"),
    ("plugins.prometheus._meta", "{}"),
    ("plugins.limit-count._meta", "{}"),
    ("plugins.limit-conn._meta", "{}"),
    ("plugins.fault-injection._meta", "{}"),
    (
        "plugins.ai-proxy-multi.balancer",
        r#"{"algorithm":"roundrobin"}"#,
    ),
    ("plugins.ai-proxy-multi.instances.priority", "0"),
    ("plugins.ai-proxy-multi.keepalive", "true"),
    ("plugins.ai-proxy-multi.keepalive_timeout", "60000"),
    ("plugins.ai-proxy-multi.keepalive_pool", "30"),
    ("plugins.ai-proxy-multi.max_req_body_size", "67108864"),
    ("plugins.ai-proxy-multi.streaming_flush_interval_ms", "10"),
    ("plugins.ai-proxy-multi.ssl_verify", "true"),
    ("plugins.ai-proxy-multi._meta", "{}"),
    ("plugins.ai-rate-limiting.show_limit_quota_header", "true"),
    ("plugins.ai-rate-limiting.policy", "\"local\""),
    ("plugins.ai-rate-limiting.allow_degradation", "false"),
    ("plugins.ai-rate-limiting._meta", "{}"),
    ("plugins.http-logger.name", "\"http logger\""),
    ("plugins.http-logger.buffer_duration", "60"),
    ("plugins.http-logger.timeout", "3"),
    ("plugins.http-logger.include_req_body", "false"),
    ("plugins.http-logger.include_resp_body", "false"),
    ("plugins.http-logger.max_req_body_bytes", "524288"),
    ("plugins.http-logger.max_resp_body_bytes", "524288"),
    ("plugins.http-logger.ssl_verify", "false"),
];

/// Something the gateway has. It has no `Debug`: keys stand in it.
#[derive(Clone)]
pub(super) struct Stored {
    pub(super) kind: Kind,
    pub(super) id: String,
    pub(super) value: Value,
}

/// What objects came back as when they had just been written: the object, and how it was stored.
pub(super) type Images = BTreeMap<(Kind, String), (Value, Value)>;

/// What must be done.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) put: Vec<Object>,
    pub(super) delete: Vec<(Kind, String)>,
    pub(super) drift: Drift,
}

/// Compares what shall be with what is. Of what is not ours nothing is said.
pub(super) fn plan(wanted: &[Object], stored: &[Stored], images: &Images) -> Plan {
    let mut plan = Plan::default();
    for object in wanted {
        let line = format!("{} {}", object.kind.one(), object.id);
        let found = stored
            .iter()
            .find(|one| one.kind == object.kind && one.id == object.id);
        match found {
            Some(found) if same(object, found, images) => continue,
            Some(_) => plan.drift.changed.push(line),
            None => plan.drift.missing.push(line),
        }
        plan.put.push(object.clone());
    }
    for one in stored.iter().filter(|one| ours(one)) {
        let known = |object: &Object| object.kind == one.kind && object.id == one.id;
        if !wanted.iter().any(known) {
            let line = format!("{} {}", one.kind.one(), one.id);
            plan.drift.surplus.push(line);
            plan.delete.push((one.kind, one.id.clone()));
        }
    }
    // What refers to others goes first.
    plan.delete.sort_by(|a, b| b.cmp(a));
    plan
}

/// Made by us: by its id, and by the mark it bears. One without the other may be somebody's.
fn ours(one: &Stored) -> bool {
    let label = one
        .value
        .get("labels")
        .and_then(|all| all.get("managed-by"));
    one.kind.claims(&one.id) && label.and_then(Value::as_str) == Some("portcullis")
}

fn same(object: &Object, found: &Stored, images: &Images) -> bool {
    let now = lasting(&found.value);
    match images.get(&(object.kind, object.id.clone())) {
        Some((written, image)) if *written == object.value => now == *image,
        Some(_) | None => like(&object.value, &now, ""),
    }
}

/// Without what changes by itself.
pub(super) fn lasting(value: &Value) -> Value {
    let Value::Object(fields) = value else {
        return value.clone();
    };
    let kept = fields
        .iter()
        .filter(|(key, _)| !PASSING.contains(&key.as_str()));
    kept.map(|(key, value)| (key.clone(), value.clone()))
        .collect::<Map<_, _>>()
        .into()
}

/// Whether all of `wanted` is in `now`; what `now` has beside it is called an extra.
pub(super) fn contains(wanted: &Value, now: &Value) -> bool {
    agree(wanted, now, "", &|_, _| true)
}

/// The same, where the only extras are known defaults.
pub(super) fn like(wanted: &Value, now: &Value, at: &str) -> bool {
    agree(wanted, now, at, &|path, value| {
        let json = DEFAULTS.iter().find(|(known, _)| *known == path);
        let default = json.and_then(|(_, json)| serde_json::from_str::<Value>(json).ok());
        default.is_some_and(|default| equal(&default, value))
    })
}

fn agree(wanted: &Value, now: &Value, at: &str, extra: &impl Fn(&str, &Value) -> bool) -> bool {
    match (wanted, now) {
        (Value::Object(wanted), Value::Object(now)) => {
            let path = |key: &str| match at {
                "" => key.to_owned(),
                at => format!("{at}.{key}"),
            };
            let there = wanted.iter().all(|(key, value)| {
                let now = now.get(key);
                now.is_some_and(|now| agree(value, now, &path(key), extra))
            });
            let mut more = now.iter().filter(|(key, _)| !wanted.contains_key(*key));
            there && more.all(|(key, value)| extra(&path(key), value))
        }
        (Value::Array(wanted), Value::Array(now)) => {
            let mut pairs = wanted.iter().zip(now);
            wanted.len() == now.len() && pairs.all(|(a, b)| agree(a, b, at, extra))
        }
        (wanted, now) => equal(wanted, now),
    }
}

/// Numbers are the same however they are written.
fn equal(a: &Value, b: &Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a.to_bits() == b.to_bits(),
        (Some(_), None) | (None, Some(_)) => false,
        (None, None) => a == b,
    }
}

#[cfg(test)]
mod tests;
