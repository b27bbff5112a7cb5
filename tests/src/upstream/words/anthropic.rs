//! Anthropic's messages: named events; what was read stands in the first, what was written in one of the last.

use super::{ARGUMENTS, Closing, Usage, Whole, word};
use serde_json::{Value, json};

fn event(kind: &str, mut members: Value) -> String {
    if let Some(members) = members.as_object_mut() {
        members.insert("type".to_owned(), kind.into());
    }
    format!("event: {kind}\ndata: {members}\n\n")
}

/// Tokens that were cached do not stand in `input_tokens`.
fn figures(usage: Usage) -> Value {
    json!({"input_tokens": usage.prompt - usage.cached, "cache_read_input_tokens": usage.cached,
        "cache_creation_input_tokens": 0, "output_tokens": usage.completion})
}

fn message(model: &str, content: &Value, stop: Option<&str>, usage: &Value) -> Value {
    json!({"id": "msg_scripted", "type": "message", "role": "assistant", "model": model, "content": content,
        "stop_reason": stop, "stop_sequence": null, "usage": usage})
}

pub(super) fn opening(model: &str, usage: Option<Usage>) -> String {
    let read = usage.map(|usage| {
        figures(Usage {
            completion: 1,
            ..usage
        })
    });
    let read = read.unwrap_or_else(|| json!({"input_tokens": 0, "output_tokens": 0}));
    [
        event(
            "message_start",
            json!({"message": message(model, &json!([]), None, &read)}),
        ),
        event(
            "content_block_start",
            json!({"index": 0, "content_block": {"type": "text", "text": ""}}),
        ),
        event("ping", json!({})),
    ]
    .concat()
}

pub(super) fn chunk(at: u64) -> String {
    event(
        "content_block_delta",
        json!({"index": 0, "delta": {"type": "text_delta", "text": word(at)}}),
    )
}

pub(super) fn closing(usage: Option<Usage>) -> Closing {
    let mut delta = json!({"delta": {"stop_reason": "end_turn", "stop_sequence": null}});
    if let (Some(delta), Some(usage)) = (delta.as_object_mut(), usage) {
        delta.insert(
            "usage".to_owned(),
            json!({"output_tokens": usage.completion}),
        );
    }
    [
        event("content_block_stop", json!({"index": 0})),
        event("message_delta", delta),
        event("message_stop", json!({})),
    ]
}

pub(super) fn whole(whole: &Whole<'_>) -> String {
    let (content, stop) = match whole.tool {
        None => (json!([{"type": "text", "text": whole.text()}]), "end_turn"),
        Some(tool) => {
            let input: Value = serde_json::from_str(ARGUMENTS).unwrap_or_default();
            (
                json!([{"type": "tool_use", "id": "toolu_scripted", "name": tool, "input": input}]),
                "tool_use",
            )
        }
    };
    let usage = whole.usage.map_or_else(|| json!({}), figures);
    message(whole.model, &content, Some(stop), &usage).to_string()
}

pub(super) fn models(names: &[&str]) -> String {
    let data: Vec<Value> = names
        .iter()
        .map(|id| json!({"type": "model", "id": id, "display_name": id, "created_at": "2026-01-01T00:00:00Z"}))
        .collect();
    json!({"data": data, "has_more": false, "first_id": names.first(), "last_id": names.last()})
        .to_string()
}
