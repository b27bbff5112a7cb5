//! `ai-proxy` and `ai-proxy-multi`: the instance stands in the plugin, and usage is read from the answer.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value};

/// Where a call to a model goes.
pub(super) struct Choice {
    pub(super) nodes: Vec<String>,
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) labels: Option<Labels>,
    /// Its name, where it has one: metrics tell it in place of an address.
    pub(super) instance: Option<String>,
}

/// What the metrics of AI routes are labelled by.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Labels {
    pub(super) kind: String,
    pub(super) asked: String,
    pub(super) model: String,
}

/// The instance of the highest priority, where one of the plugins is there; its model is put into the body.
pub(super) fn choice(plugins: &Map<String, Value>, body: &mut Bytes) -> Option<Choice> {
    let mut asked: Value = serde_json::from_slice(body).unwrap_or_default();
    let priority = |one: &&Value| one.get("priority").and_then(Value::as_i64).unwrap_or(0);
    let several = plugins.get("ai-proxy-multi");
    let several = several.and_then(|conf| conf.get("instances")?.as_array());
    let instance = several
        .and_then(|all| all.iter().max_by_key(priority))
        .or_else(|| plugins.get("ai-proxy"))?;
    let endpoint = instance.pointer("/override/endpoint")?.as_str()?;
    let (node, path) = endpoint.strip_prefix("http://")?.split_once('/')?;
    let mut headers = HeaderMap::new();
    let auth = instance.pointer("/auth/header").and_then(Value::as_object);
    for (name, value) in auth.into_iter().flatten() {
        if let (Ok(name), Ok(mut value)) = (
            HeaderName::try_from(name),
            HeaderValue::try_from(value.as_str().unwrap_or_default()),
        ) {
            value.set_sensitive(true);
            headers.insert(name, value);
        }
    }
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    let wanted = text(asked.get("model"));
    if let Some(model) = instance.pointer("/options/model")
        && let Some(asked) = asked.as_object_mut()
    {
        asked.insert("model".to_owned(), model.clone());
    }
    let streams = asked.get("stream") == Some(&Value::Bool(true));
    let labels = Labels {
        kind: if streams { "ai_stream" } else { "ai_chat" }.to_owned(),
        asked: wanted,
        model: text(asked.get("model")),
    };
    *body = asked.to_string().into();
    Some(Choice {
        nodes: vec![node.to_owned()],
        path: format!("/{path}"),
        headers,
        labels: Some(labels),
        instance: instance
            .get("name")
            .and_then(Value::as_str)
            .map(str::to_owned),
    })
}

/// Whether one of the plugins is on that speak to a model themselves.
pub(super) fn is_on(plugins: &Map<String, Value>) -> bool {
    let both = ["ai-proxy", "ai-proxy-multi"];
    both.iter().any(|name| plugins.contains_key(*name))
}

/// Whether a body is what they read.
pub(super) fn reads(body: &Bytes) -> bool {
    serde_json::from_slice::<Value>(body).is_ok_and(|body| body.is_object())
}

/// Prompt and completion tokens of the newest usage frame in what was read so far.
pub(super) fn usage(read: &str) -> Option<(u64, u64)> {
    let number = |usage: &Value, key: &str| usage.get(key).and_then(Value::as_u64);
    let parts = read
        .lines()
        .map(|line| line.trim_start_matches("data:").trim());
    let mut found = parts.filter_map(|part| {
        let frame: Value = serde_json::from_str(part).ok()?;
        let usage = frame.get("usage")?;
        let prompt = number(usage, "prompt_tokens").or_else(|| number(usage, "input_tokens"))?;
        let completion =
            number(usage, "completion_tokens").or_else(|| number(usage, "output_tokens"));
        Some((prompt, completion.unwrap_or(0)))
    });
    found.next()
}
