//! What APISIX adds to an object it takes: its schemas carry defaults, and what is stored has them.

use serde_json::{Map, Value, json};

pub(super) fn set(map: &mut Map<String, Value>, key: &str, value: Value) {
    map.entry(key).or_insert(value);
}

pub(super) fn complete(kind: &str, value: &mut Map<String, Value>) {
    if kind == "routes" {
        set(value, "priority", json!(0));
        set(value, "status", json!(1));
    }
    if matches!(kind, "routes" | "services")
        && let Some(Value::Object(timeout)) = value.get_mut("timeout")
    {
        for part in ["connect", "send", "read"] {
            set(timeout, part, json!(60));
        }
    }
}

pub(super) fn upstream(value: &mut Map<String, Value>) {
    set(value, "type", json!("roundrobin"));
    set(value, "scheme", json!("http"));
    set(value, "hash_on", json!("vars"));
    set(value, "pass_host", json!("pass"));
    if let Some(active) = value
        .get_mut("checks")
        .and_then(|checks| checks.get_mut("active"))
        .and_then(Value::as_object_mut)
    {
        set(active, "type", json!("http"));
        set(active, "timeout", json!(1));
        set(active, "concurrency", json!(10));
        set(active, "http_path", json!("/"));
        set(active, "https_verify_certificate", json!(true));
        let healthy = json!({ "interval": 1, "successes": 2, "http_statuses": [200, 302] });
        within(active, "healthy", &healthy);
        let unhealthy = json!({
            "interval": 1, "http_failures": 5, "tcp_failures": 2, "timeouts": 3,
            "http_statuses": [429, 404, 500, 501, 502, 503, 504, 505],
        });
        within(active, "unhealthy", &unhealthy);
    }
}

fn within(map: &mut Map<String, Value>, key: &str, defaults: &Value) {
    if let Value::Object(inner) = map.entry(key).or_insert_with(|| json!({})) {
        for (name, value) in defaults.as_object().into_iter().flatten() {
            set(inner, name, value.clone());
        }
    }
}
