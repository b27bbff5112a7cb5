//! The servers that an APISIX's routes lead to, as targets.

use super::{MODEL_PATHS, referred};
use crate::import::found::{Found, Server, at, printable};
use kill_wire::Name;
use net_model::{BaseUrl, TargetKind, class_for};
use serde_json::Value;

/// What `ai-proxy` and each instance of `ai-proxy-multi` lead to.
pub(super) fn instance(of: &Value, name: &str, route: &str, found: &mut Found) -> Option<Name> {
    let provider = of["provider"].as_str().unwrap_or_default();
    let endpoint = at(of, "/override/endpoint").as_str();
    let (kind, usual) = match provider {
        "openai" => (TargetKind::OpenAi, "https://api.openai.com/v1"),
        "anthropic" => (TargetKind::Anthropic, "https://api.anthropic.com/v1"),
        "openai-compatible" => (TargetKind::OpenAiCompatible, ""),
        other => {
            let what = format!("provider {} of route {route}", printable(other));
            found.leave(
                what,
                "this gateway does not speak its API; put LiteLLM between",
            );
            return None;
        }
    };
    let kind = if endpoint.is_some() && kind == TargetKind::OpenAi {
        TargetKind::OpenAiCompatible
    } else {
        kind
    };
    let written = endpoint.unwrap_or(usual);
    // An endpoint names the whole path; here a target is what all paths begin with.
    let base = MODEL_PATHS
        .iter()
        .filter_map(|path| path.strip_prefix("/v1"));
    let base = base
        .filter_map(|tail| written.strip_suffix(tail))
        .next()
        .unwrap_or(written);
    let Some(base_url) = based(base) else {
        found.leave(
            format!("endpoint of route {route}"),
            "it is no address this gateway can call",
        );
        return None;
    };
    let called = if name.is_empty() {
        format!("{route}-{provider}")
    } else {
        name.to_owned()
    };
    let has_key = at(of, "/auth/header")
        .as_object()
        .or_else(|| at(of, "/auth/query").as_object());
    let server = Server {
        class: class_for(base),
        secret: has_key.map(|_| format!("APISIX: auth of {} on route {route}", printable(&called))),
        base_url,
        kind,
        called,
    };
    if at(of, "/options/model").is_string() {
        let what = format!(
            "options.model of {} on route {route}",
            printable(&server.called)
        );
        found.leave(what, "write models = [\"ASKED=SENT\"] at the target");
    }
    found.target(&server, "", "")
}

/// The nodes of whatever upstream a route leads to, in the order of their priority.
pub(super) fn nodes(
    route: &Value,
    service: Option<&Value>,
    all: &Value,
    called: &str,
    found: &mut Found,
) -> Vec<Name> {
    let of = |holder: &'_ Value| -> Option<Value> {
        let named = referred(all, "upstreams", &holder["upstream_id"]);
        named
            .or_else(|| {
                holder["upstream"]
                    .is_object()
                    .then_some(&holder["upstream"])
            })
            .cloned()
    };
    let Some(upstream) = of(route).or_else(|| service.and_then(of)) else {
        return Vec::new();
    };
    let scheme = at(&upstream, "/scheme").as_str().unwrap_or("http");
    if !matches!(scheme, "http" | "https") {
        found.leave(
            format!("upstream of route {called}"),
            "only http and https are spoken here",
        );
        return Vec::new();
    }
    let mut targets = Vec::new();
    for address in addresses(&upstream) {
        let base = format!("{scheme}://{address}/v1");
        let Ok(base_url) = base.parse::<BaseUrl>() else {
            found.leave(
                format!("node {} of route {called}", printable(&address)),
                "it is no address",
            );
            continue;
        };
        let server = Server {
            called: format!("to-{}", base_url.host()),
            base_url,
            class: class_for(&base),
            kind: if address.ends_with(":11434") {
                TargetKind::Ollama
            } else {
                TargetKind::OpenAiCompatible
            },
            secret: None,
        };
        targets.extend(found.target(&server, "", ""));
    }
    targets
}

/// Its nodes, in the order of their priority.
fn addresses(upstream: &Value) -> Vec<String> {
    let mut nodes: Vec<(i64, String)> = Vec::new();
    for node in at(upstream, "/nodes").as_array().into_iter().flatten() {
        let host = node["host"].as_str().unwrap_or_default();
        let port = node["port"]
            .as_u64()
            .map_or_else(String::new, |port| format!(":{port}"));
        nodes.push((
            node["priority"].as_i64().unwrap_or_default(),
            format!("{host}{port}"),
        ));
    }
    for (address, _) in at(upstream, "/nodes").as_object().into_iter().flatten() {
        nodes.push((0, address.clone()));
    }
    nodes.sort_by_key(|(priority, _)| std::cmp::Reverse(*priority));
    nodes.into_iter().map(|(_, address)| address).collect()
}

fn based(text: &str) -> Option<BaseUrl> {
    let base: BaseUrl = text.parse().ok()?;
    if base.prefix().is_empty() {
        base.join("/v1").parse().ok()
    } else {
        Some(base)
    }
}
