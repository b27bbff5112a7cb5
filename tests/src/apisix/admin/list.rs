//! Lists: pages of 10 to 500, filtered by name, label and URI.

use super::{Call, kinds::Target};
use crate::apisix::etcd::{Answer, Object, Objects};
use serde_json::{Value, json};

pub(super) fn entry(key: &str, object: &Object) -> Value {
    json!({
        "key": format!("/apisix{key}"),
        "value": object.value,
        "createdIndex": object.created,
        "modifiedIndex": object.modified,
    })
}

pub(super) fn answer(objects: &Objects, target: &Target, call: &Call) -> Answer {
    let folder = target.folder();
    let own = |key: &str| {
        let id = key.strip_prefix(&folder);
        // A consumer's credentials stand below it and are no consumers.
        id.is_some_and(|id| target.kind.name == "secrets" || !id.contains('/'))
    };
    let found: Vec<Value> = objects
        .iter()
        .filter(|(key, object)| own(key) && wanted(call, &object.value))
        .map(|(key, object)| entry(key, object))
        .collect();
    let total = found.len();
    let number = |name| call.asks(name).and_then(|text| text.parse::<usize>().ok());
    let listed = match (number("page"), number("page_size")) {
        (None, None) => found,
        (page, size) => {
            let size = size.unwrap_or(10);
            if !(10..=500).contains(&size) {
                return Answer::wrong(400, "page_size must be between 10 and 500");
            }
            let skipped = (page.unwrap_or(1).max(1) - 1).saturating_mul(size);
            found.into_iter().skip(skipped).take(size).collect()
        }
    };
    Answer::new(200, json!({ "total": total, "list": listed }))
}

fn wanted(call: &Call, value: &Value) -> bool {
    let text = |field: &str| value.get(field).and_then(Value::as_str);
    let name = call
        .asks("name")
        .is_none_or(|name| text("name").is_some_and(|own| own.contains(name)));
    let label = call
        .asks("label")
        .is_none_or(|label| labelled(value, label));
    let uri = call.asks("uri").is_none_or(|uri| {
        let several = value.get("uris").and_then(Value::as_array);
        let mut all = several.into_iter().flatten().filter_map(Value::as_str);
        text("uri").is_some_and(|own| own.contains(uri)) || all.any(|own| own.contains(uri))
    });
    name && label && uri
}

/// `key`, or `key:value`.
fn labelled(value: &Value, label: &str) -> bool {
    let Some(labels) = value.get("labels").and_then(Value::as_object) else {
        return false;
    };
    match label.split_once(':') {
        None => labels.contains_key(label),
        Some((key, wanted)) => labels.get(key).and_then(Value::as_str) == Some(wanted),
    }
}
