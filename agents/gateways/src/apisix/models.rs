//! Chat completions through `ai-proxy-multi`, where its owner wants APISIX to count tokens: a second route beside the one that
//! passes everything else on. It reads each body as JSON, so that nothing but chat completions is led there, and nothing else
//! may be posted: what is not counted does not pass.
//!
//! <https://apisix.apache.org/docs/apisix/plugins/ai-proxy-multi/>,
//! <https://apisix.apache.org/docs/apisix/plugins/ai-rate-limiting/>

use super::names::bearer;
use net_model::{Route, Target};
use serde_json::{Map, Value, json};

pub(super) const PROXY: &str = "ai-proxy-multi";
pub(super) const LIMITER: &str = "ai-rate-limiting";

/// What passes beside chat completions: what costs nothing.
pub(super) const FREE: [&str; 3] = ["GET", "HEAD", "OPTIONS"];

/// Where chat completions of a route are posted.
pub(super) fn uris(route: &Route, first: bool) -> Vec<String> {
    let own = format!("/{}/v1/chat/completions", route.name);
    match first {
        true => vec!["/v1/chat/completions".to_owned(), own],
        false => vec![own],
    }
}

/// One instance, called as the target is: metrics name it in place of an address.
pub(super) fn proxy(target: &Target) -> Value {
    let mut header = Map::new();
    if let Some(key) = &target.key {
        header.insert("Authorization".to_owned(), json!(bearer(key)));
    }
    let wait = target.timeouts.first_byte.max(target.timeouts.idle);
    let ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
    json!({
        "instances": [{
            "name": target.name,
            "provider": "openai-compatible",
            "weight": 1,
            "auth": { "header": header },
            "override": { "endpoint": target.base_url.join("/chat/completions") },
        }],
        // The plugin takes no more.
        "timeout": ms.clamp(1, 600_000),
    })
}

/// Tokens of prompts and answers within a minute.
pub(super) fn limited(tokens: u64) -> Value {
    json!({
        "limit": tokens.max(1), "time_window": 60,
        "limit_strategy": "total_tokens", "rejected_code": 429,
    })
}
