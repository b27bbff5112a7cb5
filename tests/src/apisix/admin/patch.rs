//! What PATCH does: merges where null deletes, or replaces one part.

use serde_json::Value;

pub(super) fn merge(into: &mut Value, change: Value) {
    match (into, change) {
        (Value::Object(into), Value::Object(change)) => {
            for (key, value) in change {
                if value.is_null() {
                    into.remove(&key);
                } else {
                    merge(into.entry(key).or_insert(Value::Null), value);
                }
            }
        }
        (into, change) => *into = without_nulls(change),
    }
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(map) => map
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key, without_nulls(value)))
            .collect(),
        other @ (Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)) => other,
    }
}

/// Replaces what stands at `path`; makes the way there. Null takes it away.
pub(super) fn replace(into: &mut Value, path: &str, change: Value) {
    let (first, rest) = path.split_once('/').unwrap_or((path, ""));
    if !into.is_object() {
        *into = Value::Object(serde_json::Map::new());
    }
    let Some(map) = into.as_object_mut() else {
        return;
    };
    if !rest.is_empty() {
        replace(map.entry(first).or_insert(Value::Null), rest, change);
    } else if change.is_null() {
        map.remove(first);
    } else {
        map.insert(first.to_owned(), change);
    }
}
