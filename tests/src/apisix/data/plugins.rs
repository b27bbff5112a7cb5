//! The plugins that decide over a request, in the order of their priorities: `fault-injection` long before `key-auth`.

use super::{
    request::Asked,
    vars,
    view::{Plugins, Route, View},
};
use crate::apisix::{World, clock};
use http::{HeaderName, HeaderValue};
use serde_json::{Value, json};
use std::time::Duration;

/// An answer that a plugin gives in place of the upstream.
#[derive(Debug)]
pub(super) struct Stop {
    pub(super) status: u16,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: String,
}

impl Stop {
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.to_string(),
        }
    }
}

const REWRITE: [&str; 4] = ["request-id", "fault-injection", "key-auth", "proxy-rewrite"];
const ACCESS: [&str; 3] = ["consumer-restriction", "limit-conn", "limit-count"];

/// Everything that runs before the upstream is chosen.
pub(super) async fn run(
    world: &World,
    view: &View,
    route: &Route,
    asked: &mut Asked,
) -> Result<Plugins, Stop> {
    for rule in &view.globals {
        phase(world, view, "global", rule, &REWRITE, asked).await?;
        phase(world, view, "global", rule, &ACCESS, asked).await?;
    }
    phase(world, view, &route.id, &route.plugins, &REWRITE, asked).await?;
    let mut merged = route.plugins.clone();
    let held = view.keys.values().find(|one| one.name == asked.consumer);
    if let Some(consumer) = held {
        phase(
            world,
            view,
            &asked.consumer.clone(),
            &consumer.plugins,
            &REWRITE,
            asked,
        )
        .await?;
        merged.extend(consumer.plugins.clone());
    }
    phase(world, view, &route.id, &merged, &ACCESS, asked).await?;
    Ok(merged)
}

async fn phase(
    world: &World,
    view: &View,
    place: &str,
    plugins: &Plugins,
    order: &[&str],
    asked: &mut Asked,
) -> Result<(), Stop> {
    for name in order {
        let Some(conf) = plugins.get(*name) else {
            continue;
        };
        let filter = conf.pointer("/_meta/filter");
        let off = conf.pointer("/_meta/disable") == Some(&Value::Bool(true));
        if off || filter.is_some_and(|filter| !vars::holds(asked, filter)) {
            continue;
        }
        match *name {
            "request-id" => request_id(world, conf, asked),
            "fault-injection" => fault_injection(conf, asked).await?,
            "key-auth" => key_auth(view, conf, asked)?,
            "proxy-rewrite" => rewrite(conf, asked),
            "consumer-restriction" => restriction(conf, asked)?,
            "limit-conn" => limit_conn(world, place, conf, asked)?,
            _ => limit_count(world, place, conf, asked)?,
        }
    }
    Ok(())
}

fn text<'a>(conf: &'a Value, key: &str) -> &'a str {
    conf.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn header(name: &str, value: &str) -> Option<(HeaderName, HeaderValue)> {
    let name = HeaderName::try_from(name).ok()?;
    Some((name, HeaderValue::try_from(value).ok()?))
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn request_id(world: &World, conf: &Value, asked: &mut Asked) {
    let name = text(conf, "header_name");
    let made = format!("{:032x}", world.counters.next_request());
    let id = asked.header(name).map_or(made, str::to_owned);
    if let Some((name, value)) = header(name, &id) {
        asked.headers.insert(name.clone(), value.clone());
        if conf.get("include_in_response") != Some(&Value::Bool(false)) {
            asked.answer.push((name, value));
        }
    }
}

async fn fault_injection(conf: &Value, asked: &Asked) -> Result<(), Stop> {
    let meant = |part: &Value| {
        let rule = part.get("vars").unwrap_or(&Value::Null);
        part.get("percentage") != Some(&json!(0)) && vars::any(asked, rule)
    };
    if let Some(delay) = conf.get("delay").filter(|delay| meant(delay)) {
        let seconds = delay.get("duration").and_then(Value::as_f64);
        tokio::time::sleep(Duration::from_secs_f64(seconds.unwrap_or(0.0))).await;
    }
    let Some(abort) = conf.get("abort").filter(|abort| meant(abort)) else {
        return Ok(());
    };
    let status = abort.get("http_status").and_then(Value::as_u64);
    let headers = abort.get("headers").and_then(Value::as_object);
    let headers = headers
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| header(name, &asked.filled_in(&plain(value))));
    Err(Stop {
        status: u16::try_from(status.unwrap_or(500)).unwrap_or(500),
        headers: headers.collect(),
        body: asked.filled_in(text(abort, "body")),
    })
}

fn key_auth(view: &View, conf: &Value, asked: &mut Asked) -> Result<(), Stop> {
    let from_header = asked.header(text(conf, "header")).map(str::to_owned);
    let Some(key) = from_header.or_else(|| asked.argument(text(conf, "query"))) else {
        return Err(Stop::json(
            401,
            &json!({ "message": "Missing API key in request" }),
        ));
    };
    let Some(consumer) = view.keys.get(&key) else {
        return Err(Stop::json(
            401,
            &json!({ "message": "Invalid API key in request" }),
        ));
    };
    asked.consumer.clone_from(&consumer.name);
    if conf.get("hide_credentials") == Some(&Value::Bool(true)) {
        asked.headers.remove(text(conf, "header"));
    }
    if let Some((name, value)) = header("x-consumer-username", &consumer.name) {
        asked.headers.insert(name, value);
    }
    Ok(())
}

fn rewrite(conf: &Value, asked: &mut Asked) {
    if let Some(uri) = conf.get("uri").and_then(Value::as_str) {
        asked.path = asked.filled_in(uri);
    }
    if let Some(pair) = conf.get("regex_uri").and_then(Value::as_array)
        && let (Some(Value::String(from)), Some(Value::String(to))) = (pair.first(), pair.get(1))
        && let Ok(pattern) = regex::Regex::new(from)
    {
        asked.path = pattern.replace(&asked.path, to.as_str()).into_owned();
    }
    let set = conf.pointer("/headers/set").and_then(Value::as_object);
    for (name, value) in set.into_iter().flatten() {
        if let Some((name, value)) = header(name, &asked.filled_in(&plain(value))) {
            asked.headers.insert(name, value);
        }
    }
    let gone = conf.pointer("/headers/remove").and_then(Value::as_array);
    for name in gone.into_iter().flatten().filter_map(Value::as_str) {
        asked.headers.remove(name);
    }
}

fn restriction(conf: &Value, asked: &Asked) -> Result<(), Stop> {
    let listed = |key: &str, name: &str| {
        let all = conf.get(key).and_then(Value::as_array);
        all.map(|all| all.iter().any(|one| one.as_str() == Some(name)))
    };
    let of = match text(conf, "type") {
        "route_id" => &asked.route,
        "service_id" => &asked.service,
        _ => &asked.consumer,
    };
    let shut = listed("blacklist", of) == Some(true) || listed("whitelist", of) == Some(false);
    if !shut {
        return Ok(());
    }
    let code = conf.get("rejected_code").and_then(Value::as_u64);
    let said = match text(conf, "rejected_msg") {
        "" => "The consumer_name is forbidden.",
        own => own,
    };
    let code = u16::try_from(code.unwrap_or(403)).unwrap_or(403);
    Err(Stop::json(code, &json!({ "message": said })))
}

/// What a limit counts by.
fn counted_by(conf: &Value, asked: &Asked) -> String {
    match text(conf, "key_type") {
        "constant" => text(conf, "key").to_owned(),
        "var_combination" => asked.filled_in(text(conf, "key")),
        _ => asked.variable(text(conf, "key")).map_or_else(
            // As a real one: what has no such variable is counted by its address.
            || asked.peer.ip().to_string(),
            std::borrow::Cow::into_owned,
        ),
    }
}

fn limit_conn(world: &World, place: &str, conf: &Value, asked: &mut Asked) -> Result<(), Stop> {
    let number = |key: &str| conf.get(key).and_then(Value::as_u64).unwrap_or(0);
    let most = number("conn") + number("burst");
    let key = format!("{place}:{}", counted_by(conf, asked));
    match world.counters.hold(&key, most) {
        Some(held) => {
            asked.held.push(held);
            Ok(())
        }
        None => Err(Stop {
            status: u16::try_from(number("rejected_code")).unwrap_or(503),
            headers: Vec::new(),
            body: String::new(),
        }),
    }
}

fn limit_count(world: &World, place: &str, conf: &Value, asked: &mut Asked) -> Result<(), Stop> {
    let number = |key: &str| conf.get(key).and_then(Value::as_u64).unwrap_or(0);
    let key = counted_by(conf, asked);
    let window = Duration::from_secs(number("time_window"));
    let (used, rest) = world
        .counters
        .count(&format!("{place}:{key}"), window, clock::now());
    let left = number("count").saturating_sub(used);
    let mut shown = Vec::new();
    for (name, value) in [
        ("x-ratelimit-limit", number("count")),
        ("x-ratelimit-remaining", left),
        ("x-ratelimit-reset", rest.as_secs()),
    ] {
        shown.extend(header(name, &value.to_string()));
    }
    if used <= number("count") {
        asked.answer.extend(shown);
        return Ok(());
    }
    let code = u16::try_from(number("rejected_code")).unwrap_or(503);
    let said = text(conf, "rejected_msg");
    let body = if said.is_empty() {
        format!("<html><head><title>{code}</title></head></html>\r\n")
    } else {
        json!({ "error_msg": said }).to_string()
    };
    Err(Stop {
        status: code,
        headers: shown,
        body,
    })
}
