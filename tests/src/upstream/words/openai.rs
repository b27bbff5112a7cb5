//! OpenAI's chat, completions, embeddings and models.

use super::{ARGUMENTS, Closing, Usage, VECTOR, Whole, word};
use serde_json::{Value, json};

const DONE: &str = "data: [DONE]\n\n";

pub(super) fn chat_chunk(model: &str, at: u64) -> String {
    let content = format!(r#"{{"content":"{}"}}"#, word(at));
    chat_event(model, &content, "null")
}

pub(super) fn chat_closing(model: &str, usage: Option<Usage>) -> Closing {
    let stop = chat_event(model, "{}", r#""stop""#);
    let told = usage.map_or_else(String::new, |usage| {
        let model = Value::from(model);
        format!(
            "data: {{\"id\":\"chatcmpl-scripted\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":{model},\"choices\":[],\"usage\":{}}}\n\n",
            figures(usage)
        )
    });
    [stop, told, DONE.to_owned()]
}

fn chat_event(model: &str, delta: &str, finish: &str) -> String {
    let model = Value::from(model);
    format!(
        "data: {{\"id\":\"chatcmpl-scripted\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":{model},\"choices\":[{{\"index\":0,\"delta\":{delta},\"finish_reason\":{finish}}}]}}\n\n"
    )
}

pub(super) fn completions_chunk(model: &str, at: u64) -> String {
    let event = json!({"id": "cmpl-scripted", "object": "text_completion", "created": 1, "model": model,
        "choices": [{"index": 0, "text": word(at), "logprobs": null, "finish_reason": null}]});
    format!("data: {event}\n\n")
}

pub(super) fn completions_closing(model: &str, usage: Option<Usage>) -> Closing {
    let stop = json!({"id": "cmpl-scripted", "object": "text_completion", "created": 1, "model": model,
        "choices": [{"index": 0, "text": "", "logprobs": null, "finish_reason": "stop"}]});
    let told = usage.map_or_else(String::new, |usage| {
        let event = json!({"id": "cmpl-scripted", "object": "text_completion", "created": 1, "model": model,
            "choices": [], "usage": figures(usage)});
        format!("data: {event}\n\n")
    });
    [format!("data: {stop}\n\n"), told, DONE.to_owned()]
}

fn figures(usage: Usage) -> Value {
    let mut told = json!({"prompt_tokens": usage.prompt, "completion_tokens": usage.completion,
        "total_tokens": usage.prompt + usage.completion});
    if let (Some(told), true) = (told.as_object_mut(), usage.cached + usage.reasoning > 0) {
        told.insert(
            "prompt_tokens_details".to_owned(),
            json!({"cached_tokens": usage.cached}),
        );
        told.insert(
            "completion_tokens_details".to_owned(),
            json!({"reasoning_tokens": usage.reasoning}),
        );
    }
    told
}

fn with_usage(mut answer: Value, usage: Option<Usage>) -> String {
    if let (Some(answer), Some(usage)) = (answer.as_object_mut(), usage) {
        answer.insert("usage".to_owned(), figures(usage));
    }
    answer.to_string()
}

pub(super) fn chat(whole: &Whole<'_>) -> String {
    let (message, finish) = match whole.tool {
        None => (
            json!({"role": "assistant", "content": whole.text()}),
            "stop",
        ),
        Some(tool) => (
            json!({"role": "assistant", "content": null, "tool_calls": [{"id": "call_scripted", "type": "function",
                "function": {"name": tool, "arguments": ARGUMENTS}}]}),
            "tool_calls",
        ),
    };
    let answer = json!({"id": "chatcmpl-scripted", "object": "chat.completion", "created": 1, "model": whole.model,
        "choices": [{"index": 0, "message": message, "finish_reason": finish}]});
    with_usage(answer, whole.usage)
}

pub(super) fn completions(whole: &Whole<'_>) -> String {
    let answer = json!({"id": "cmpl-scripted", "object": "text_completion", "created": 1, "model": whole.model,
        "choices": [{"index": 0, "text": whole.text(), "logprobs": null, "finish_reason": "stop"}]});
    with_usage(answer, whole.usage)
}

pub(super) fn embeddings(whole: &Whole<'_>) -> String {
    let data: Vec<Value> = (0..whole.texts)
        .map(|index| json!({"object": "embedding", "index": index, "embedding": VECTOR}))
        .collect();
    let mut answer = json!({"object": "list", "data": data, "model": whole.model});
    if let (Some(answer), Some(usage)) = (answer.as_object_mut(), whole.usage) {
        answer.insert(
            "usage".to_owned(),
            json!({"prompt_tokens": usage.prompt, "total_tokens": usage.prompt}),
        );
    }
    answer.to_string()
}

pub(super) fn models(names: &[&str]) -> String {
    let data: Vec<Value> = names
        .iter()
        .map(|id| json!({"id": id, "object": "model", "created": 1, "owned_by": "scripted"}))
        .collect();
    json!({"object": "list", "data": data}).to_string()
}
