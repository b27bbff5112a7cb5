//! The API-driven standalone mode: one document, held in memory.

use super::{Call, check, kinds};
use crate::apisix::etcd::{Answer, Etcd, Object, Objects};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Where the document itself is kept among the objects.
const DOCUMENT: &str = "/document";

const SECTIONS: [&str; 8] = [
    "routes",
    "services",
    "upstreams",
    "consumers",
    "global_rules",
    "plugin_configs",
    "consumer_groups",
    "plugin_metadata",
];

pub(super) fn answer(etcd: &mut Etcd, call: &Call) -> Answer {
    match call.method.as_str() {
        "GET" | "HEAD" => get(etcd),
        "PUT" => put(etcd, call).unwrap_or_else(|refused| refused),
        _ => Answer::wrong(405, "method not allowed"),
    }
}

fn document(etcd: &Etcd) -> Map<String, Value> {
    let kept = etcd.objects().get(DOCUMENT);
    let kept = kept.and_then(|object| object.value.as_object().cloned());
    kept.unwrap_or_else(|| {
        let versions = SECTIONS
            .iter()
            .map(|name| (format!("{name}_conf_version"), json!(0)));
        versions.collect()
    })
}

fn get(etcd: &Etcd) -> Answer {
    let document = document(etcd);
    let header = |name: &str| match document.get(name) {
        Some(Value::String(text)) => Some(text.clone()),
        Some(other) => Some(other.to_string()),
        None => None,
    };
    let digest = header("X-Digest").map(|text| ("x-digest", text));
    let modified = header("X-Last-Modified").map(|text| ("x-last-modified", text));
    Answer {
        headers: digest.into_iter().chain(modified).collect(),
        ..Answer::new(200, Value::Object(document))
    }
}

fn put(etcd: &mut Etcd, call: &Call) -> Result<Answer, Answer> {
    let Some(digest) = call.digest.as_deref() else {
        return Err(Answer::wrong(400, "missing digest header"));
    };
    if call.body.is_empty() {
        let said = "invalid request body: empty request body";
        return Err(Answer::wrong(400, said));
    }
    let asked = call.json()?;
    let before = document(etcd);
    let bare = |status| Answer {
        status,
        body: None,
        headers: Vec::new(),
    };
    if before.get("X-Digest").and_then(Value::as_str) == Some(digest) {
        return Ok(bare(204));
    }
    let mut objects = Objects::new();
    let mut next = Map::new();
    for name in SECTIONS {
        section(name, &asked, &before, &mut next, &mut objects)?;
    }
    next.insert("X-Digest".to_owned(), json!(digest));
    let now = crate::apisix::clock::wall().as_secs();
    next.insert("X-Last-Modified".to_owned(), json!(now));
    let kept = Object {
        value: Value::Object(next),
        created: 0,
        modified: 0,
    };
    objects.insert(DOCUMENT.to_owned(), Arc::new(kept));
    etcd.replace(objects);
    Ok(bare(202))
}

/// One section of the new document, and its objects. One whose number stays is kept as it was.
fn section(
    name: &str,
    asked: &Value,
    before: &Map<String, Value>,
    next: &mut Map<String, Value>,
    objects: &mut Objects,
) -> Result<(), Answer> {
    let version = version(asked, before, name)?;
    let key = format!("{name}_conf_version");
    let same = before.get(&key) == Some(&json!(version));
    next.insert(key, json!(version));
    let items = if same {
        before.get(name)
    } else {
        asked.get(name)
    };
    let items = items
        .and_then(Value::as_array)
        .filter(|all| !all.is_empty());
    let Some(items) = items else {
        return Ok(());
    };
    for (at, item) in items.iter().enumerate() {
        let (key, value) = checked(name, at, item)?;
        let object = Object {
            value,
            created: version,
            modified: version,
        };
        if objects.insert(key, Arc::new(object)).is_some() {
            let id = item.get("id").or_else(|| item.get("username"));
            let id = id.and_then(Value::as_str).unwrap_or_default();
            return Err(Answer::wrong(
                400,
                format!("found duplicate id {id} in {name}"),
            ));
        }
    }
    next.insert(name.to_owned(), Value::Array(items.clone()));
    Ok(())
}

/// The section's number: what was asked for, else one more than before. It never falls.
fn version(asked: &Value, before: &Map<String, Value>, name: &str) -> Result<u64, Answer> {
    let key = format!("{name}_conf_version");
    let held = before.get(&key).and_then(Value::as_u64).unwrap_or(0);
    let Some(said) = asked.get(&key) else {
        return Ok(held + 1);
    };
    let said = said
        .as_u64()
        .ok_or_else(|| Answer::wrong(400, format!("{key} must be a number")))?;
    if said < held {
        let text = format!("{key} must be greater than or equal to ({held})");
        return Err(Answer::wrong(400, text));
    }
    Ok(said)
}

fn checked(name: &str, at: usize, item: &Value) -> Result<(String, Value), Answer> {
    let wrong =
        |text: &str| Answer::wrong(400, format!("invalid {name} at index {at}, err: {text}"));
    let Some(mut value) = item.as_object().cloned() else {
        return Err(wrong("wrong type: expected object"));
    };
    value.remove("modifiedIndex");
    let id = value.get("id").and_then(Value::as_str).map(str::to_owned);
    let credential = id.filter(|id| name == "consumers" && id.contains("/credentials/"));
    if credential.is_some() {
        value.remove("id");
    }
    let path = match (
        &credential,
        value.get("id").or_else(|| value.get("username")),
    ) {
        (Some(id), _) => format!("consumers/{id}"),
        (None, Some(Value::String(id))) => format!("{name}/{id}"),
        (None, _) => return Err(wrong("no id")),
    };
    let target = kinds::Target::of(&path)?;
    check::alone(&target, &mut value).map_err(|refused| {
        let body = refused.0.body.unwrap_or_default();
        let said = body.get("error_msg").and_then(Value::as_str);
        wrong(said.unwrap_or_default())
    })?;
    Ok((format!("/{path}"), Value::Object(value)))
}
