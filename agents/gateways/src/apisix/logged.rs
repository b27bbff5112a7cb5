//! `http-logger` at routes of ours: one row for each call, in the format that the ledger reads.
//!
//! <https://apisix.apache.org/docs/apisix/plugins/http-logger/>. What APISIX cannot know of a call when it is made, and we do,
//! stands in the row as words: which route, which target, and in whose place that one answers.

use super::UsageTo;
use crate::Wanted;
use net_model::{Route, Target};
use serde_json::{Value, json};

/// The plugin.
pub(super) const LOGGER: &str = "http-logger";

/// The plugin's configuration on this route, which leads to this target.
pub(super) fn logger(to: &UsageTo, wanted: &Wanted, route: &Route, target: &Target) -> Value {
    let mut format = json!({
        "request_id": "$request_id",
        "consumer": "$consumer_name",
        "route": route.name,
        "target": target.name,
        "class": target.class,
        "model": "$request_llm_model",
        "sent_model": "$llm_model",
        "prompt_tokens": "$llm_prompt_tokens",
        "completion_tokens": "$llm_completion_tokens",
        "first_ms": "$llm_time_to_first_token",
        "request_type": "$request_type",
        "status": "$status",
        "end": "$msec",
        "took": "$request_time",
        "incident": "$sent_http_x_portcullis_incident",
    });
    if let (Some(first), Some(fields)) = (wanted.in_place_of(route), format.as_object_mut()) {
        fields.insert("fell_back_from".to_owned(), json!(first.name));
    }
    json!({
        "uri": to.uri,
        "auth_header": format!("Bearer {}", to.token.expose()),
        "batch_max_size": 100,
        "inactive_timeout": 2,
        "max_retry_count": 60,
        "retry_delay": 1,
        "concat_method": "json",
        "log_format": format,
        // A list of models is no call.
        "_meta": { "filter": [["request_method", "==", "POST"]] },
    })
}
