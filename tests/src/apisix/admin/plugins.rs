//! The plugins the twin knows: what their configuration must be, and the defaults it gets.

use super::defaults::set;
use serde_json::{Map, Value, json};

const NAMES: [&str; 15] = [
    "ai-proxy",
    "ai-proxy-multi",
    "ai-rate-limiting",
    "client-control",
    "consumer-restriction",
    "fault-injection",
    "http-logger",
    "key-auth",
    "limit-conn",
    "limit-count",
    "prometheus",
    "proxy-buffering",
    "proxy-rewrite",
    "request-id",
    "response-rewrite",
];

pub(super) const fn names() -> [&'static str; 15] {
    NAMES
}

/// Checks and completes one plugin's configuration; `held`: by a consumer or a credential.
pub(super) fn check(name: &str, conf: &mut Value, held: bool) -> Result<(), String> {
    if !NAMES.contains(&name) {
        return Err(format!("unknown plugin [{name}]"));
    }
    let failed =
        |why: &str| format!("failed to check the configuration of plugin {name} err: {why}");
    let Value::Object(conf) = conf else {
        return Err(failed("wrong type: expected object"));
    };
    let checked = match name {
        "fault-injection" => fault_injection(conf),
        "key-auth" if held => needs(conf, &["key"]),
        "key-auth" => {
            set(conf, "header", json!("apikey"));
            set(conf, "query", json!("apikey"));
            set(conf, "hide_credentials", json!(false));
            Ok(())
        }
        "limit-count" => limit_count(conf),
        "consumer-restriction" => {
            set(conf, "type", json!("consumer_name"));
            set(conf, "rejected_code", json!(403));
            let listed = ["whitelist", "blacklist", "allowed_by_methods"];
            let any = listed.iter().any(|key| conf.contains_key(*key));
            any.then_some(())
                .ok_or_else(|| "object matches none of the required".to_owned())
        }
        "limit-conn" => {
            set(conf, "rejected_code", json!(503));
            set(conf, "policy", json!("local"));
            set(conf, "only_use_default_delay", json!(false));
            needs(conf, &["conn", "burst", "default_conn_delay", "key"])
        }
        "http-logger" => http_logger(conf),
        "request-id" => {
            set(conf, "header_name", json!("X-Request-Id"));
            set(conf, "include_in_response", json!(true));
            set(conf, "algorithm", json!("uuid"));
            Ok(())
        }
        "proxy-buffering" => {
            set(conf, "disable_proxy_buffering", json!(false));
            Ok(())
        }
        "prometheus" => {
            set(conf, "prefer_name", json!(false));
            Ok(())
        }
        "ai-proxy" => needs(conf, &["provider", "auth"]),
        "ai-proxy-multi" => ai_proxy_multi(conf),
        "ai-rate-limiting" => {
            set(conf, "show_limit_quota_header", json!(true));
            set(conf, "limit_strategy", json!("total_tokens"));
            set(conf, "rejected_code", json!(503));
            set(conf, "policy", json!("local"));
            set(conf, "allow_degradation", json!(false));
            needs(conf, &["limit", "time_window"])
        }
        _ => Ok(()),
    };
    checked.map_err(|why| failed(&why))
}

fn needs(conf: &Map<String, Value>, keys: &[&str]) -> Result<(), String> {
    match keys.iter().find(|key| !conf.contains_key(**key)) {
        None => Ok(()),
        Some(key) => Err(format!("property \"{key}\" is required")),
    }
}

fn fault_injection(conf: &Map<String, Value>) -> Result<(), String> {
    if !conf.contains_key("abort") && !conf.contains_key("delay") {
        return Err("object matches none of the required".to_owned());
    }
    if let Some(abort) = conf.get("abort") {
        let status = abort.get("http_status").and_then(Value::as_u64);
        let said = "property \"abort\" validation failed: property \"http_status\"";
        match status {
            None => return Err(format!("{said} is required")),
            Some(0..=199) => {
                return Err(format!(
                    "{said} validation failed: expected {} to be at least 200",
                    status.unwrap_or_default()
                ));
            }
            Some(_) => {}
        }
        let headers = abort.get("headers").and_then(Value::as_object);
        for (name, value) in headers.into_iter().flatten() {
            if !value.is_string() && !value.is_number() {
                return Err(format!("header {name} is neither text nor number"));
            }
        }
    }
    for part in ["abort", "delay"] {
        let vars = conf.get(part).and_then(|part| part.get("vars"));
        if vars
            .and_then(Value::as_array)
            .is_some_and(|all| all.len() > 20)
        {
            return Err(format!(
                "property \"{part}\" validation failed: property \"vars\" validation failed: \
                 expect array to have at most 20 items"
            ));
        }
        if let Some(vars) = vars
            && !crate::apisix::data::vars_are_valid(vars)
        {
            return Err("failed to create vars expression".to_owned());
        }
    }
    Ok(())
}

fn limit_count(conf: &mut Map<String, Value>) -> Result<(), String> {
    needs(conf, &["count", "time_window"])?;
    set(conf, "key", json!("remote_addr"));
    set(conf, "key_type", json!("var"));
    set(conf, "rejected_code", json!(503));
    set(conf, "policy", json!("local"));
    set(conf, "allow_degradation", json!(false));
    set(conf, "show_limit_quota_header", json!(true));
    let above_zero = |key: &str| conf.get(key).and_then(Value::as_u64).is_some_and(|n| n > 0);
    if above_zero("count") && above_zero("time_window") {
        return Ok(());
    }
    Err("property \"count\" validation failed: expected 0 to be greater than 0".to_owned())
}

fn ai_proxy_multi(conf: &mut Map<String, Value>) -> Result<(), String> {
    needs(conf, &["instances"])?;
    set(conf, "balancer", json!({ "algorithm": "roundrobin" }));
    set(conf, "timeout", json!(30_000));
    set(conf, "max_req_body_size", json!(67_108_864));
    set(conf, "streaming_flush_interval_ms", json!(10));
    set(conf, "keepalive", json!(true));
    set(conf, "keepalive_timeout", json!(60_000));
    set(conf, "keepalive_pool", json!(30));
    set(conf, "ssl_verify", json!(true));
    let longest = conf.get("timeout").and_then(Value::as_u64);
    if longest.is_none_or(|ms| !(1..=600_000).contains(&ms)) {
        return Err("property \"timeout\" validation failed".to_owned());
    }
    let instances = conf.get_mut("instances").and_then(Value::as_array_mut);
    let Some(instances) = instances.filter(|all| !all.is_empty()) else {
        return Err("property \"instances\" validation failed".to_owned());
    };
    for one in instances {
        let Value::Object(one) = one else {
            return Err("property \"instances\" validation failed".to_owned());
        };
        needs(one, &["name", "provider", "auth", "weight"])?;
        set(one, "priority", json!(0));
    }
    Ok(())
}

fn http_logger(conf: &mut Map<String, Value>) -> Result<(), String> {
    needs(conf, &["uri"])?;
    set(conf, "batch_max_size", json!(1000));
    set(conf, "inactive_timeout", json!(5));
    set(conf, "buffer_duration", json!(60));
    set(conf, "max_retry_count", json!(0));
    set(conf, "retry_delay", json!(1));
    set(conf, "timeout", json!(3));
    set(conf, "name", json!("http logger"));
    set(conf, "ssl_verify", json!(false));
    set(conf, "max_req_body_bytes", json!(524_288));
    set(conf, "max_resp_body_bytes", json!(524_288));
    set(conf, "concat_method", json!("json"));
    set(conf, "include_req_body", json!(false));
    set(conf, "include_resp_body", json!(false));
    Ok(())
}
