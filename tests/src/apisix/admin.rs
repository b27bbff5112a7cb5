//! The admin API: objects over etcd, one configuration in standalone mode.

mod check;
mod defaults;
mod kinds;
mod list;
mod patch;
mod plugins;
mod standalone;

use super::{
    World,
    etcd::{Answer, Asked, Etcd, Object},
};
use check::Refusal;
use http::Method;
use kinds::Target;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// One call, as the twin writes it down and as it was asked.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    pub(super) key: Option<String>,
    pub(super) digest: Option<String>,
}

impl Call {
    fn asks(&self, name: &str) -> Option<&str> {
        let mut pairs = self.query.iter();
        pairs
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    fn json(&self) -> Result<Value, Answer> {
        serde_json::from_slice(&self.body)
            .map_err(|error| Answer::wrong(400, format!("invalid request body: {error}")))
    }
}

/// What a wrong or missing key is answered.
pub(super) fn unauthorised(why: &str) -> Answer {
    Answer::new(
        401,
        json!({ "error_msg": "failed to check token", "description": why }),
    )
}

/// Does what was asked, or queues it while etcd hangs.
pub(super) fn ask(world: &World, call: Call) -> Asked {
    if let Some(refused) = stranger(world, &call) {
        return Asked::Now(refused);
    }
    let Some(path) = call.path.strip_prefix("/apisix/admin/") else {
        return Asked::Now(Answer::wrong(404, "404 Route Not Found"));
    };
    if world.options.standalone {
        return Asked::Now(if path == "configs" || path == "configs/" {
            world.etcd(|etcd| standalone::answer(etcd, &call))
        } else {
            Answer::wrong(400, format!("standalone mode has no {path}"))
        });
    }
    if path == "plugins/list" {
        return Asked::Now(Answer::new(200, json!(plugins::names())));
    }
    match Target::of(path) {
        Ok(target) => world.etcd(|etcd| etcd.ask(move |etcd| answer(etcd, &call, &target))),
        Err(answer) => Asked::Now(answer),
    }
}

fn stranger(world: &World, call: &Call) -> Option<Answer> {
    let keys = world.keys();
    let Some(key) = call.key.as_deref().or_else(|| call.asks("api_key")) else {
        return Some(unauthorised("missing apikey"));
    };
    if key == keys.admin {
        return None;
    }
    if key != keys.viewer {
        return Some(unauthorised("wrong apikey"));
    }
    let reads = call.method == Method::GET || call.method == Method::HEAD;
    (!reads).then(|| unauthorised("invalid method for role viewer"))
}

fn answer(etcd: &mut Etcd, call: &Call, target: &Target) -> Answer {
    let answered = match call.method.as_str() {
        "GET" if target.id.is_none() => Ok(list::answer(etcd.objects(), target, call)),
        "GET" => get(etcd, target),
        "PUT" => put(etcd, call, target),
        "POST" => post(etcd, call, target),
        "PATCH" => patched(etcd, call, target),
        "DELETE" => delete(etcd, call, target),
        _ => Err(Answer::wrong(405, "method not allowed").into()),
    };
    let mut answer = answered.unwrap_or_else(|Refusal(answer)| answer);
    answer.headers.push(("x-api-version", "v3".to_owned()));
    answer
}

fn missing() -> Answer {
    Answer::new(404, json!({ "message": "Key not found" }))
}

fn written(key: &str, object: &Object, status: u16) -> Answer {
    let body = json!({ "key": format!("/apisix{key}"), "value": object.value });
    Answer::new(status, body)
}

fn get(etcd: &Etcd, target: &Target) -> Result<Answer, Refusal> {
    let key = target.key()?;
    let object = etcd.objects().get(&key).ok_or_else(missing)?;
    Ok(Answer::new(200, list::entry(&key, object)))
}

fn put(etcd: &mut Etcd, call: &Call, target: &Target) -> Result<Answer, Refusal> {
    let mut value = object_of(call.json()?)?;
    let target = target.named_by(&value)?;
    let key = target.key()?;
    let before = etcd.objects().get(&key).cloned();
    check::object(etcd.objects(), &target, &mut value)?;
    stamp(&mut value, before.as_ref());
    let object = etcd.set(&key, Value::Object(value));
    let status = if before.is_some() { 200 } else { 201 };
    Ok(written(&key, &object, status))
}

fn post(etcd: &mut Etcd, call: &Call, target: &Target) -> Result<Answer, Refusal> {
    if !target.kind.posts || target.id.is_some() {
        return Err(Answer::wrong(405, "not supported `POST` method").into());
    }
    let mut value = object_of(call.json()?)?;
    let target = Target {
        id: Some(format!("{:020}", etcd.revision + 1)),
        ..target.clone()
    };
    let key = target.key()?;
    check::object(etcd.objects(), &target, &mut value)?;
    stamp(&mut value, None);
    let object = etcd.set(&key, Value::Object(value));
    Ok(written(&key, &object, 201))
}

fn patched(etcd: &mut Etcd, call: &Call, target: &Target) -> Result<Answer, Refusal> {
    if !target.kind.patches {
        return Err(Answer::wrong(405, "not supported `PATCH` method").into());
    }
    let key = target.key()?;
    let before = etcd.objects().get(&key).cloned().ok_or_else(missing)?;
    let change = call.json()?;
    let mut value = before.value.clone();
    match target.sub.as_deref() {
        Some(path) => patch::replace(&mut value, path, change),
        None => patch::merge(&mut value, change),
    }
    let mut value = object_of(value)?;
    check::object(etcd.objects(), target, &mut value)?;
    stamp(&mut value, Some(&before));
    let object = etcd.set(&key, Value::Object(value));
    Ok(written(&key, &object, 200))
}

fn delete(etcd: &mut Etcd, call: &Call, target: &Target) -> Result<Answer, Refusal> {
    let key = target.key()?;
    if call.asks("force") != Some("true") {
        check::unused(etcd.objects(), target)?;
    }
    if !etcd.delete(&key) {
        return Err(missing().into());
    }
    if target.kind.name == "consumers" {
        let below = format!("{key}/");
        let theirs = |other: &&String| other.starts_with(&below);
        let keys: Vec<String> = etcd.objects().keys().filter(theirs).cloned().collect();
        for key in keys {
            etcd.delete(&key);
        }
    }
    let body = json!({ "deleted": "1", "key": format!("/apisix{key}") });
    Ok(Answer::new(200, body))
}

fn object_of(value: Value) -> Result<Map<String, Value>, Refusal> {
    match value {
        Value::Object(map) => Ok(map),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(Refusal::invalid(
                "wrong type: expected object, got something else",
            ))
        }
    }
}

/// The times; an object keeps when it was made.
fn stamp(value: &mut Map<String, Value>, before: Option<&Arc<Object>>) {
    let now = super::clock::wall().as_secs();
    let made = before.and_then(|before| before.value.get("create_time").cloned());
    value.insert("create_time".to_owned(), made.unwrap_or_else(|| json!(now)));
    value.insert("update_time".to_owned(), json!(now));
}

/// Checks and completes an object as a call would, for what a test puts there itself.
pub(super) fn place(etcd: &mut Etcd, path: &str, value: Value) -> Result<(), String> {
    let told = |Refusal(answer): Refusal| format!("{path}: {:?}", answer.body);
    let target = Target::of(path).map_err(|answer| format!("{path}: {:?}", answer.body))?;
    let mut value = object_of(value).map_err(told)?;
    check::object(etcd.objects(), &target, &mut value).map_err(told)?;
    let key = target.key().map_err(told)?;
    let before = etcd.objects().get(&key).cloned();
    stamp(&mut value, before.as_ref());
    etcd.set(&key, Value::Object(value));
    Ok(())
}
