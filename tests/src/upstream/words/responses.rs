//! OpenAI's responses: a stream of named, numbered events.

use super::{ARGUMENTS, Closing, Usage, Whole, word};
use serde_json::{Value, json};

fn event(kind: &str, number: u64, mut members: Value) -> String {
    if let Some(members) = members.as_object_mut() {
        members.insert("type".to_owned(), kind.into());
        members.insert("sequence_number".to_owned(), number.into());
    }
    format!("event: {kind}\ndata: {members}\n\n")
}

fn response(model: &str, status: &str, output: &Value, usage: Option<Usage>) -> Value {
    let usage = usage.map(|usage| {
        json!({"input_tokens": usage.prompt, "input_tokens_details": {"cached_tokens": usage.cached},
            "output_tokens": usage.completion, "output_tokens_details": {"reasoning_tokens": usage.reasoning},
            "total_tokens": usage.prompt + usage.completion})
    });
    json!({"id": "resp_scripted", "object": "response", "created_at": 1, "status": status, "model": model,
        "output": output, "parallel_tool_calls": true, "tool_choice": "auto", "tools": [], "error": null,
        "incomplete_details": null, "instructions": null, "metadata": {}, "temperature": 1.0, "top_p": 1.0,
        "usage": usage})
}

fn message(text: &str, status: &str) -> Value {
    json!({"id": "msg_scripted", "type": "message", "status": status, "role": "assistant",
        "content": [{"type": "output_text", "text": text, "annotations": []}]})
}

pub(super) fn opening(model: &str) -> String {
    let item = json!({"id": "msg_scripted", "type": "message", "status": "in_progress", "role": "assistant", "content": []});
    let part = json!({"type": "output_text", "text": "", "annotations": []});
    [
        event(
            "response.created",
            0,
            json!({"response": response(model, "in_progress", &json!([]), None)}),
        ),
        event(
            "response.output_item.added",
            1,
            json!({"output_index": 0, "item": item}),
        ),
        event(
            "response.content_part.added",
            2,
            json!({"item_id": "msg_scripted", "output_index": 0, "content_index": 0, "part": part}),
        ),
    ]
    .concat()
}

pub(super) fn chunk(at: u64) -> String {
    event(
        "response.output_text.delta",
        at + 3,
        json!({"item_id": "msg_scripted", "output_index": 0, "content_index": 0, "delta": word(at), "logprobs": []}),
    )
}

pub(super) fn closing(model: &str, chunks: u64, usage: Option<Usage>) -> Closing {
    let text: String = (0..chunks).map(word).collect();
    let part = json!({"type": "output_text", "text": text, "annotations": []});
    let at = chunks + 3;
    let done = [
        event(
            "response.output_text.done",
            at,
            json!({"item_id": "msg_scripted", "output_index": 0, "content_index": 0, "text": text, "logprobs": []}),
        ),
        event(
            "response.content_part.done",
            at + 1,
            json!({"item_id": "msg_scripted", "output_index": 0, "content_index": 0, "part": part}),
        ),
        event(
            "response.output_item.done",
            at + 2,
            json!({"output_index": 0, "item": message(&text, "completed")}),
        ),
    ]
    .concat();
    let output = json!([message(&text, "completed")]);
    let completed = event(
        "response.completed",
        at + 3,
        json!({"response": response(model, "completed", &output, usage)}),
    );
    [done, completed, String::new()]
}

pub(super) fn whole(whole: &Whole<'_>) -> String {
    let output = match whole.tool {
        None => json!([message(&whole.text(), "completed")]),
        Some(tool) => {
            json!([{"id": "fc_scripted", "type": "function_call", "status": "completed", "call_id": "call_scripted",
                "name": tool, "arguments": ARGUMENTS}])
        }
    };
    response(whole.model, "completed", &output, whole.usage).to_string()
}
