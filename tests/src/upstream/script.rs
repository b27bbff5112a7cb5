//! What the scripted upstream can do, and the pieces of an answer it does it with.

use std::str::FromStr;

/// One behaviour, called by the model of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Script {
    /// A chunk every 20 ms, `max_tokens` of them, then usage.
    Steady,
    /// A chunk a second.
    Slow,
    /// Headers and one chunk, then silence.
    Stall,
    /// Never answers, not even with headers.
    Silent,
    /// As steady, but a byte a write, so that every event is split.
    Trickle,
    /// Three chunks, then a TCP reset.
    Reset,
    /// `max_tokens` chunks, then a TCP reset.
    LateReset,
    /// Three chunks, then closes in the middle of an event.
    Truncate,
    /// As steady, with a usage frame far too high.
    Liar,
    /// As steady, without a usage frame.
    Nousage,
    /// A chunk every 10 ms.
    Paced,
    /// `max_tokens` chunks as fast as they are taken, then usage.
    Burst,
    /// Chunks as fast as they are taken, without end.
    Flood,
    /// HTTP 500.
    Error500,
    /// HTTP 503.
    Error503,
}

/// Every script with the model name that calls it.
pub(super) const NAMES: [(&str, Script); 15] = [
    ("steady", Script::Steady),
    ("slow", Script::Slow),
    ("stall", Script::Stall),
    ("silent", Script::Silent),
    ("trickle", Script::Trickle),
    ("reset", Script::Reset),
    ("late-reset", Script::LateReset),
    ("truncate", Script::Truncate),
    ("liar", Script::Liar),
    ("nousage", Script::Nousage),
    ("paced", Script::Paced),
    ("burst", Script::Burst),
    ("flood", Script::Flood),
    ("error500", Script::Error500),
    ("error503", Script::Error503),
];

/// Prompt tokens every usage frame claims, but the liar's.
pub(super) const PROMPT_TOKENS: u64 = 11;
/// What the liar claims, prompt and completion.
pub(super) const LIES: (u64, u64) = (7_000_000, 9_000_000);

impl FromStr for Script {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        NAMES
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, script)| *script)
            .ok_or_else(|| format!("no script is called `{name}`"))
    }
}

impl Script {
    /// The usage it claims after `chunks` content chunks.
    pub(super) fn usage(self, chunks: u64) -> Option<(u64, u64)> {
        match self {
            Self::Nousage => None,
            Self::Liar => Some(LIES),
            Self::Steady
            | Self::Slow
            | Self::Stall
            | Self::Silent
            | Self::Trickle
            | Self::Reset
            | Self::LateReset
            | Self::Truncate
            | Self::Paced
            | Self::Burst
            | Self::Flood
            | Self::Error500
            | Self::Error503 => Some((PROMPT_TOKENS, chunks)),
        }
    }
}

/// One content event of a stream.
pub(super) fn chunk(model: &str, at: u64) -> String {
    event(model, &format!(r#"{{"content":"w{at} "}}"#), "null")
}

/// The event that ends the content of a stream.
pub(super) fn stop(model: &str) -> String {
    event(model, "{}", r#""stop""#)
}

fn event(model: &str, delta: &str, finish: &str) -> String {
    let model = serde_json::Value::from(model);
    format!(
        "data: {{\"id\":\"chatcmpl-scripted\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":{model},\"choices\":[{{\"index\":0,\"delta\":{delta},\"finish_reason\":{finish}}}]}}\n\n"
    )
}

/// The usage event of a stream.
pub(super) fn usage_event(model: &str, (prompt, completion): (u64, u64)) -> String {
    let model = serde_json::Value::from(model);
    format!(
        "data: {{\"id\":\"chatcmpl-scripted\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":{model},\"choices\":[],{}}}\n\n",
        usage_member((prompt, completion))
    )
}

fn usage_member((prompt, completion): (u64, u64)) -> String {
    format!(
        "\"usage\":{{\"prompt_tokens\":{prompt},\"completion_tokens\":{completion},\"total_tokens\":{}}}",
        prompt + completion
    )
}

/// A whole answer that does not stream.
pub(super) fn whole(model: &str, chunks: u64, usage: Option<(u64, u64)>) -> String {
    let model = serde_json::Value::from(model);
    let text: String = (0..chunks).map(|at| format!("w{at} ")).collect();
    let usage = usage.map_or_else(String::new, |usage| format!(",{}", usage_member(usage)));
    format!(
        "{{\"id\":\"chatcmpl-scripted\",\"object\":\"chat.completion\",\"created\":1,\"model\":{model},\"choices\":[{{\"index\":0,\"message\":{{\"role\":\"assistant\",\"content\":\"{text}\"}},\"finish_reason\":\"stop\"}}]{usage}}}"
    )
}
