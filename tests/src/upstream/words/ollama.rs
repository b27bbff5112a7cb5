//! Ollama's own API: one JSON object a line, the figures in the last.

use super::{ARGUMENTS, Closing, Format, Usage, VECTOR, Whole, word};
use serde_json::{Value, json};

const WHEN: &str = "2026-01-01T00:00:00Z";

fn says(format: Format, model: &str, text: &str, done: bool) -> Value {
    let mut line = json!({"model": model, "created_at": WHEN, "done": done});
    if let Some(line) = line.as_object_mut() {
        let (member, value) = if format == Format::OllamaGenerate {
            ("response", json!(text))
        } else {
            ("message", json!({"role": "assistant", "content": text}))
        };
        line.insert(member.to_owned(), value);
    }
    line
}

fn finished(mut line: Value, usage: Option<Usage>) -> Value {
    if let Some(line) = line.as_object_mut() {
        line.insert("done_reason".to_owned(), "stop".into());
        line.insert("total_duration".to_owned(), 1_000_000.into());
        if let Some(usage) = usage {
            line.insert("prompt_eval_count".to_owned(), usage.prompt.into());
            line.insert("eval_count".to_owned(), usage.completion.into());
        }
    }
    line
}

pub(super) fn chunk(format: Format, model: &str, at: u64) -> String {
    format!("{}\n", says(format, model, &word(at), false))
}

pub(super) fn closing(format: Format, model: &str, usage: Option<Usage>) -> Closing {
    let last = finished(says(format, model, "", true), usage);
    [String::new(), format!("{last}\n"), String::new()]
}

pub(super) fn whole(format: Format, whole: &Whole<'_>) -> String {
    if format == Format::OllamaEmbed {
        let vectors = vec![VECTOR; whole.texts];
        let prompt = whole.usage.map(|usage| usage.prompt);
        return json!({"model": whole.model, "embeddings": vectors, "total_duration": 1_000_000, "prompt_eval_count": prompt}).to_string();
    }
    if format == Format::OllamaEmbedding {
        return json!({"embedding": VECTOR}).to_string();
    }
    let mut line = says(format, whole.model, &whole.text(), true);
    if let (Some(tool), Some(message)) = (whole.tool, line.get_mut("message")) {
        let arguments: Value = serde_json::from_str(ARGUMENTS).unwrap_or_default();
        *message = json!({"role": "assistant", "content": "",
            "tool_calls": [{"function": {"name": tool, "arguments": arguments}}]});
    }
    finished(line, whole.usage).to_string()
}

fn entries(names: &[&str]) -> Vec<Value> {
    names
        .iter()
        .map(|name| {
            json!({"name": name, "model": name, "modified_at": WHEN, "size": 1, "digest": "00",
                "details": {"format": "gguf", "family": "scripted", "parameter_size": "1B"}})
        })
        .collect()
}

pub(super) fn tags(names: &[&str]) -> String {
    json!({"models": entries(names)}).to_string()
}

pub(super) fn running(names: &[&str]) -> String {
    let first: Vec<&str> = names.first().copied().into_iter().collect();
    json!({"models": entries(&first)}).to_string()
}

pub(super) fn shown() -> String {
    json!({"details": {"format": "gguf", "family": "scripted"}, "model_info": {}, "capabilities": ["completion", "tools"]}).to_string()
}
