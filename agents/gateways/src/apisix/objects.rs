//! The objects that what is wanted comes to: an upstream for each target, a consumer for each consumer, a route for each
//! route.
//!
//! Fields and plugins: <https://apisix.apache.org/docs/apisix/admin-api/>.

use super::Besides;
use super::logged::{LOGGER, logger};
use super::models::{self, FREE, LIMITER, PROXY, limited, proxy};
use super::names::{ABORT, Kind, NOBODY, bearer, consumer, id, labels, models_id};
use super::shut::consumers;
use crate::Wanted;
use kill_wire::RouteKind;
use net_model::{Consumer, Limit, Route, Target};
use serde_json::{Map, Value, json};
use std::iter;
use std::time::Duration;

/// One object as it shall be. It has no `Debug`: keys stand in it.
#[derive(Clone, PartialEq)]
pub(super) struct Object {
    pub(super) kind: Kind,
    pub(super) id: String,
    pub(super) value: Value,
}

/// All of them, in an order in which they can be written.
pub(super) fn objects(wanted: &Wanted, besides: &Besides) -> Vec<Object> {
    let table = &wanted.table;
    let upstreams = table.targets().iter().map(upstream);
    let known = table.consumers().iter();
    let known = known.filter_map(|one| caller(wanted, besides, one));
    let mut first = table.routes().iter();
    let first = first.position(|route| route.kind == RouteKind::Llm);
    let routes = table.routes().iter().enumerate();
    let routes = routes.flat_map(|(at, one)| {
        let first = first == Some(at);
        let models = besides.ai_proxy && one.kind == RouteKind::Llm;
        let models = models.then(|| models_route(wanted, besides, one, at, first));
        iter::once(route(wanted, besides, one, at, first)).chain(models)
    });
    upstreams.chain(known).chain(routes).collect()
}

/// Limits this gateway cannot hold, and targets it cannot serve as the embedded one does: one line each.
pub(super) fn beyond(wanted: &Wanted, besides: &Besides) -> Vec<String> {
    let limits = wanted.limits.iter().filter(|limit| !held(limit, besides));
    let limits = limits.map(|limit| {
        let tokens = match besides.ai_proxy {
            true => "tokens and requests a minute of one consumer or one route, and open requests of one consumer, are",
            false => "requests a minute of one consumer or one route, and open requests of one consumer, are; with `ai_proxy = true` tokens a minute as well",
        };
        format!("limit {} is not held here: only {tokens}", limit.name)
    });
    let hidden = wanted.limits.iter().filter(|limit| held(limit, besides));
    let hidden = hidden.filter_map(|limit| hidden_by(limit, wanted, besides));
    let targets = wanted.table.targets().iter();
    let renamed = targets.filter(|target| !target.models.is_empty());
    let renamed = renamed.map(|target| {
        format!(
            "models of {} are not renamed here: a client asks for them as the target knows them",
            target.name
        )
    });
    limits.chain(hidden).chain(renamed).collect()
}

/// A plugin of a consumer stands in for the same plugin of a route.
fn hidden_by(limit: &Limit, wanted: &Wanted, besides: &Besides) -> Option<String> {
    let route = limit.of.route.as_ref()?;
    let at = wanted
        .table
        .routes()
        .iter()
        .position(|it| it.name == *route)?;
    let both = |other: &&Limit| {
        let consumer = other.of.consumer.as_ref();
        let mut consumers = wanted.table.consumers().iter();
        let takes = consumers.any(|it| Some(&it.name) == consumer && it.routes.contains(&at));
        let same = (limit.requests_per_minute.is_some() && other.requests_per_minute.is_some())
            || (limit.tokens_per_minute.is_some() && other.tokens_per_minute.is_some());
        takes && same && held(other, besides)
    };
    let other = wanted.limits.iter().find(both)?;
    Some(format!(
        "limit {} does not hold whom limit {} is about: APISIX counts by a consumer's own limit in place of a route's",
        limit.name, other.name
    ))
}

fn upstream(target: &Target) -> Object {
    let id = id(&target.name);
    let base = &target.base_url;
    let scheme = if base.tls() { "https" } else { "http" };
    let node = if base.host().contains(':') {
        format!("[{}]:{}", base.host(), base.port())
    } else {
        format!("{}:{}", base.host(), base.port())
    };
    let wait = target.timeouts.first_byte.max(target.timeouts.idle);
    let mut value = json!({
        "id": id, "name": id, "labels": labels(),
        "type": "roundrobin", "scheme": scheme, "pass_host": "node",
        "nodes": { node: 1 },
        // What was sent to a model is not sent again.
        "retries": 0,
        "timeout": { "connect": seconds(target.timeouts.connect), "send": 60, "read": seconds(wait) },
    });
    if let (Some(every), Some(fields)) = (target.health_every, value.as_object_mut()) {
        let every = seconds(every);
        fields.insert(
            "checks".to_owned(),
            json!({ "active": {
            "type": "tcp",
            "healthy": { "interval": every, "successes": 1 },
            "unhealthy": { "interval": every, "tcp_failures": 2 },
        } }),
        );
    }
    Object {
        kind: Kind::Upstream,
        id,
        value,
    }
}

fn seconds(span: Duration) -> u64 {
    span.as_secs().max(1)
}

/// None where the key is not known: nobody could come with it.
fn caller(wanted: &Wanted, besides: &Besides, one: &Consumer) -> Option<Object> {
    let key = wanted.keys.get(&one.name)?;
    let name = consumer(&one.name);
    let mut plugins = Map::new();
    plugins.insert("key-auth".to_owned(), json!({ "key": bearer(key) }));
    let mine =
        |limit: &&Limit| limit.of.consumer.as_ref() == Some(&one.name) && held(limit, besides);
    let mine = || wanted.limits.iter().filter(mine);
    if let Some(count) = mine().filter_map(|limit| limit.requests_per_minute).min() {
        plugins.insert(
            "limit-count".to_owned(),
            counted(count, "var", "consumer_name"),
        );
    }
    if let Some(tokens) = mine().filter_map(|limit| limit.tokens_per_minute).min() {
        plugins.insert(LIMITER.to_owned(), limited(tokens));
    }
    if let Some(open) = mine().filter_map(|limit| limit.open).min() {
        plugins.insert(
            "limit-conn".to_owned(),
            json!({
                "conn": open.max(1), "burst": 0, "default_conn_delay": 0.1,
                "key_type": "var", "key": "consumer_name", "rejected_code": 429,
            }),
        );
    }
    Some(Object {
        kind: Kind::Consumer,
        value: json!({ "username": name, "labels": labels(), "plugins": plugins }),
        id: name,
    })
}

fn counted(count: u32, key_type: &str, key: &str) -> Value {
    json!({
        "count": count.max(1), "time_window": 60, "key_type": key_type, "key": key,
        "policy": "local", "rejected_code": 429,
    })
}

/// Whether a limit can be said here.
fn held(limit: &Limit, besides: &Besides) -> bool {
    let of = &limit.of;
    let plain = of.role.is_none() && of.model.is_none() && of.class.is_none();
    let one = match (&of.consumer, &of.route) {
        (Some(_), None) => true,
        (None, Some(_)) => limit.open.is_none(),
        (Some(_), Some(_)) | (None, None) => false,
    };
    plain && one && (limit.tokens_per_minute.is_none() || besides.ai_proxy)
}

fn lead(wanted: &Wanted, at: usize) -> Option<&Target> {
    let lead = wanted.leads.get(at).copied().flatten();
    wanted.table.targets().get(lead?)
}

fn route(wanted: &Wanted, besides: &Besides, route: &Route, at: usize, first: bool) -> Object {
    let id = id(&route.name);
    let target = lead(wanted, at);
    let mut plugins = plugins(wanted, besides, route, target);
    if let Some(target) = target {
        plugins.insert("proxy-rewrite".to_owned(), rewrite(route, target));
    }
    let mut value = json!({
        "id": id, "name": id, "labels": labels(),
        "uris": uris(route, first), "priority": 0, "status": 1, "enable_websocket": true,
        "plugins": plugins,
    });
    if let (Some(target), Some(fields)) = (target, value.as_object_mut()) {
        let upstream = super::names::id(&target.name);
        fields.insert("upstream_id".to_owned(), json!(upstream));
    }
    let counted = besides.ai_proxy && route.kind == RouteKind::Llm;
    if let (true, Some(fields)) = (counted, value.as_object_mut()) {
        fields.insert("methods".to_owned(), json!(FREE));
    }
    Object {
        kind: Kind::Route,
        id,
        value,
    }
}

/// A route stands under its own name. The first to models takes what OpenAI's clients ask by themselves, too.
fn uris(route: &Route, first: bool) -> Vec<String> {
    let name = &route.name;
    match (route.kind, first) {
        (RouteKind::Llm, true) => vec!["/v1/*".to_owned(), format!("/{name}/v1/*")],
        (RouteKind::Llm, false) => vec![format!("/{name}/v1/*")],
        (RouteKind::Agent | RouteKind::Tool, _) => vec![format!("/{name}/*")],
    }
}

/// For chat completions, where APISIX itself speaks to the model.
fn models_route(
    wanted: &Wanted,
    besides: &Besides,
    route: &Route,
    at: usize,
    first: bool,
) -> Object {
    let id = models_id(&route.name);
    let target = lead(wanted, at);
    let mut plugins = plugins(wanted, besides, route, target);
    if let Some(target) = target {
        plugins.insert(PROXY.to_owned(), proxy(target));
    }
    let mine = wanted.limits.iter().filter(|limit| held(limit, besides));
    let mine = mine.filter(|limit| limit.of.route.as_ref() == Some(&route.name));
    if let Some(tokens) = mine.filter_map(|limit| limit.tokens_per_minute).min() {
        plugins.insert(LIMITER.to_owned(), limited(tokens));
    }
    Object {
        kind: Kind::Route,
        value: json!({
            "id": id, "name": id, "labels": labels(), "methods": ["POST"],
            "uris": models::uris(route, first), "priority": 0, "status": 1,
            "plugins": plugins,
        }),
        id,
    }
}

fn plugins(
    wanted: &Wanted,
    besides: &Besides,
    route: &Route,
    target: Option<&Target>,
) -> Map<String, Value> {
    let mut may: Vec<String> = consumers(wanted, route).into_iter().map(consumer).collect();
    may.sort();
    if may.is_empty() {
        may.push(NOBODY.to_owned());
    }
    let plugins = json!({
        // The key stands where OpenAI's clients put it, and goes no further.
        "key-auth": { "header": "authorization", "hide_credentials": true },
        "consumer-restriction": { "whitelist": may },
        "proxy-buffering": { "disable_proxy_buffering": true },
        "request-id": { "header_name": "X-Request-Id", "include_in_response": true },
        "prometheus": { "prefer_name": false },
    });
    let mut fields = plugins.as_object().cloned().unwrap_or_default();
    let Some(target) = target else {
        fields.insert(ABORT.to_owned(), nowhere());
        return fields;
    };
    if let (Some(to), RouteKind::Llm) = (&besides.usage, route.kind) {
        fields.insert(LOGGER.to_owned(), logger(to, wanted, route, target));
    }
    let mine = wanted.limits.iter().filter(|limit| held(limit, besides));
    let mine = mine.filter(|limit| limit.of.route.as_ref() == Some(&route.name));
    if let Some(count) = mine.filter_map(|limit| limit.requests_per_minute).min() {
        fields.insert(
            "limit-count".to_owned(),
            counted(count, "constant", "portcullis"),
        );
    }
    fields
}

/// A base URL ends in `/v1`, as OpenAI's clients write it.
fn rewrite(route: &Route, target: &Target) -> Value {
    let name = route.name.as_str().replace('.', "\\.");
    let from = match route.kind {
        RouteKind::Llm => format!("^(?:/{name})?/v1/(.*)$"),
        RouteKind::Agent | RouteKind::Tool => format!("^/{name}/(.*)$"),
    };
    let to = target.base_url.prefix().replace('$', "$$");
    let mut rewrite = json!({ "regex_uri": [from, format!("{to}/$1")] });
    if let (Some(key), Some(fields)) = (&target.key, rewrite.as_object_mut()) {
        let set = json!({ "set": { "Authorization": bearer(key) } });
        fields.insert("headers".to_owned(), set);
    }
    rewrite
}

/// What a route answers that nothing may serve now.
fn nowhere() -> Value {
    let body = json!({ "type": "error", "error": {
        "type": "portcullis_no_target", "code": "no_target", "param": null,
        "message": "No target of this route may serve it now.",
    } });
    json!({ "abort": {
        "http_status": 503,
        "headers": { "content-type": "application/json" },
        "body": body.to_string(),
    } })
}

#[cfg(test)]
mod tests;
