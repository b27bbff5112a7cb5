//! A LiteLLM's configuration, or what its API tells of it, in our words. Pure.
//!
//! A deployment whose server speaks OpenAI's, Anthropic's or Ollama's API itself becomes a target of its own; every other
//! stays behind LiteLLM, which becomes one target.

use super::found::{Found, Server, at, printable};
use kill_wire::{Class, Name};
use net_model::{BaseUrl, TargetKind, class_for};
use serde_json::Value;

/// Most models and keys that are carried over: what a gateway here may have of each.
const MOST: usize = 256;

/// Where its models answer when their file names no address.
const OPENAI: &str = "https://api.openai.com/v1";
const ANTHROPIC: &str = "https://api.anthropic.com/v1";
const OLLAMA: &str = "http://127.0.0.1:11434/v1";

/// Keys of its file that are looked at, or stay behind for a reason of their own.
const KNOWN: [(&str, &str); 14] = [
    (
        "general_settings.master_key",
        "it opens everything; here each consumer has a key of its own",
    ),
    (
        "general_settings.database_url",
        "no database is needed here",
    ),
    (
        "litellm_settings.callbacks",
        "usage is told here by [[controlplane.usage_sources]]",
    ),
    (
        "litellm_settings.success_callback",
        "usage is told here by [[controlplane.usage_sources]]",
    ),
    (
        "litellm_settings.num_retries",
        "trying again is decided by the target's breaker",
    ),
    (
        "litellm_settings.request_timeout",
        "write first_byte_timeout at the target",
    ),
    ("litellm_settings.drop_params", "bodies pass as they are"),
    ("litellm_settings.max_budget", "write [[gateway.budgets]]"),
    ("litellm_settings.cache", "answers are not kept here"),
    (
        "router_settings.routing_strategy",
        "targets are taken in their order",
    ),
    (
        "router_settings.num_retries",
        "trying again is decided by the target's breaker",
    ),
    (
        "router_settings.allowed_fails",
        "write [gateway.targets.breaker]",
    ),
    (
        "router_settings.cooldown_time",
        "write [gateway.targets.breaker]",
    ),
    (
        "litellm_settings.telemetry",
        "nothing is sent to anybody here",
    ),
];

/// Reads a whole configuration; `own` is where LiteLLM itself serves, for what stays behind it.
pub(super) fn read(config: &Value, own: &BaseUrl, found: &mut Found) {
    let empty = Vec::new();
    let models = config["model_list"].as_array().unwrap_or(&empty);
    if models.len() > MOST {
        found.leave(
            format!("{} models", models.len() - MOST),
            format!("at most {MOST} are carried over"),
        );
    }
    let models: Vec<&Value> = models.iter().take(MOST).collect();
    let mut groups: Vec<&str> = Vec::new();
    for model in &models {
        match model["model_name"].as_str().filter(|it| !it.is_empty()) {
            Some(name) if !groups.contains(&name) => groups.push(name),
            Some(_) => {}
            None => found.leave("a model without model_name", "nobody can ask for it"),
        }
    }
    for group in groups {
        let mut targets = leads(group, group, &models, own, found);
        for instead in fallbacks(config, group) {
            targets.extend(leads(group, &instead, &models, own, found));
        }
        let stars = group.matches('*').count();
        if stars > 1 || stars == 1 && !group.ends_with('*') || group.len() > 128 {
            found.leave(
                format!("model {group}"),
                "a pattern has one `*`, at its end",
            );
            continue;
        }
        found.route(group, vec![group.to_owned()], targets);
    }
    rest(config, found);
}

/// The targets of one group of deployments, where clients ask for `asked`.
fn leads(
    asked: &str,
    group: &str,
    models: &[&Value],
    own: &BaseUrl,
    found: &mut Found,
) -> Vec<Name> {
    let mut targets = Vec::new();
    for deployment in models.iter().filter(|it| it["model_name"] == group) {
        let params = &deployment["litellm_params"];
        let model = params["model"].as_str().unwrap_or_default();
        let name = match direct(deployment, model) {
            Some((server, sent)) => found.target(&server, asked, &sent),
            None => {
                let why = "this gateway does not speak its server's API; it stays behind LiteLLM";
                found.leave(format!("model {group} ({})", printable(model)), why);
                found.target(&behind(own), asked, group)
            }
        };
        targets.extend(name);
        for limit in ["rpm", "tpm", "max_parallel_requests", "weight", "order"] {
            if !params[limit].is_null() {
                found.leave(
                    format!("{limit} of model {group}"),
                    "write [[gateway.limits]] or max_open at the target",
                );
            }
        }
        if !params["mock_response"].is_null() {
            found.leave(
                format!("mock_response of model {group}"),
                "no canned answers here",
            );
        }
    }
    targets
}

/// LiteLLM itself, as a target.
fn behind(own: &BaseUrl) -> Server {
    Server {
        base_url: own.clone(),
        class: Class::Cloud,
        kind: TargetKind::Litellm,
        secret: Some("LiteLLM: its master key, or a virtual key made for this gateway".to_owned()),
        called: "litellm".to_owned(),
    }
}

/// The server that a deployment stands for, and what the model is called there; none where it speaks another API.
fn direct(deployment: &Value, model: &str) -> Option<(Server, String)> {
    let params = &deployment["litellm_params"];
    if !params["mock_response"].is_null() {
        return None;
    }
    let base = params["api_base"]
        .as_str()
        .or_else(|| params["base_url"].as_str());
    let (provider, sent) = model.split_once('/').unwrap_or(("", model));
    let (kind, usual) = match provider {
        "openai" if base.is_none() => (TargetKind::OpenAi, OPENAI),
        "openai"
        | "hosted_vllm"
        | "llamafile"
        | "lm_studio"
        | "custom_openai"
        | "text-completion-openai" => (TargetKind::OpenAiCompatible, ""),
        "ollama" | "ollama_chat" => (TargetKind::Ollama, OLLAMA),
        "anthropic" => (TargetKind::Anthropic, ANTHROPIC),
        "" if sent.starts_with("gpt-") && base.is_none() => (TargetKind::OpenAi, OPENAI),
        "" if sent.starts_with("claude-") && base.is_none() => (TargetKind::Anthropic, ANTHROPIC),
        _ => return None,
    };
    // What stands in an environment is not known here.
    let written = base.unwrap_or(usual);
    let base_url: BaseUrl = written.parse().ok()?;
    let base_url = if base_url.prefix().is_empty() {
        base_url.join("/v1").parse().ok()?
    } else {
        base_url
    };
    let called = match kind {
        TargetKind::OpenAi => "openai".to_owned(),
        TargetKind::Anthropic => "anthropic".to_owned(),
        TargetKind::Ollama => "ollama".to_owned(),
        TargetKind::OpenAiCompatible | TargetKind::Litellm => {
            format!("to-{}", base_url.host())
        }
    };
    let server = Server {
        class: class_for(written),
        secret: secret(params, kind, &called),
        base_url,
        kind,
        called,
    };
    Some((server, sent.to_owned()))
}

/// Where a deployment's key stands: in the environment, in the file, or where its API does not tell.
fn secret(params: &Value, kind: TargetKind, called: &str) -> Option<String> {
    if let Some(key) = params["api_key"].as_str() {
        if let Some(name) = key.strip_prefix("os.environ/") {
            return Some(format!("environment of LiteLLM: {}", printable(name)));
        }
        // What local servers are given because LiteLLM's client wants something.
        let blank = [
            "", "none", "unused", "dummy", "fake-key", "anything", "sk-none",
        ];
        let stands = !blank.contains(&key.to_lowercase().as_str());
        return stands.then(|| format!("LiteLLM's file: api_key of {called}"));
    }
    match kind {
        TargetKind::OpenAi => Some("environment of LiteLLM: OPENAI_API_KEY".to_owned()),
        TargetKind::Anthropic => Some("environment of LiteLLM: ANTHROPIC_API_KEY".to_owned()),
        TargetKind::OpenAiCompatible | TargetKind::Ollama | TargetKind::Litellm => None,
    }
}

/// Groups that take the place of this one, wherever the file says so.
fn fallbacks(config: &Value, group: &str) -> Vec<String> {
    let mut instead = Vec::new();
    for section in ["router_settings", "litellm_settings"] {
        let lists = at(config, &format!("/{section}/fallbacks")).as_array();
        for entry in lists.into_iter().flatten() {
            let named = entry[group].as_array().into_iter().flatten();
            instead.extend(named.filter_map(Value::as_str).map(str::to_owned));
        }
    }
    instead.retain(|it| it != group);
    instead.truncate(16);
    instead
}

/// Everything else of the file.
fn rest(config: &Value, found: &mut Found) {
    let sections = config.as_object().into_iter().flatten();
    for (section, value) in sections {
        if section == "model_list" {
            continue;
        }
        let Some(keys) = value.as_object() else {
            found.leave(section.as_str(), "it has no counterpart here");
            continue;
        };
        for key in keys.keys() {
            let path = format!("{section}.{key}");
            if key == "fallbacks" {
                continue;
            }
            let known = KNOWN.iter().find(|(known, _)| *known == path);
            found.leave(
                path.as_str(),
                known.map_or("it has no counterpart here", |(_, why)| why),
            );
        }
    }
}

/// Virtual keys, as `GET /key/list` tells them. LiteLLM keeps their SHA-256, as this gateway does.
pub(super) fn keys(keys: &[Value], found: &mut Found) {
    if keys.len() > MOST {
        found.leave(
            format!("{} keys", keys.len() - MOST),
            format!("at most {MOST} are carried over"),
        );
    }
    for key in keys.iter().take(MOST) {
        let hash = key["token"].as_str().unwrap_or_default();
        let short: String = hash.chars().take(8).collect();
        let alias = key["key_alias"].as_str().filter(|it| !it.is_empty());
        let called = alias.map_or_else(|| format!("key-{short}"), str::to_owned);
        if key["blocked"] == true {
            found.leave(format!("key {called}"), "it is blocked");
            continue;
        }
        let may: Vec<&str> = key["models"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let routes = found.routes.iter().filter(|route| {
            may.is_empty()
                || may.contains(&"all-proxy-models")
                || route.models.iter().any(|it| may.contains(&it.as_str()))
        });
        let routes: Vec<Name> = routes.map(|route| route.name.clone()).collect();
        for limit in ["max_budget", "tpm_limit", "rpm_limit", "budget_duration"] {
            if !key[limit].is_null() {
                found.leave(
                    format!("{limit} of key {called}"),
                    "write [[gateway.budgets]] or [[gateway.limits]]",
                );
            }
        }
        if routes.is_empty() {
            found.leave(
                format!("key {called}"),
                "it may use no model that is carried over",
            );
        } else {
            found.consumer_by_hash(&called, hash, routes);
        }
    }
}
