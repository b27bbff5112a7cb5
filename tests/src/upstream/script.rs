//! What the scripted upstream can do.

use super::words::Usage;
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
    /// Three chunks, then closes in the middle of an event.
    Truncate,
    /// As steady, with a usage frame far too high.
    Liar,
    /// As steady, without a usage frame.
    Nousage,
    /// As steady, with a usage frame in a stream only where it was asked for, as OpenAI does.
    Strict,
    /// As nousage, and answers 400 to whoever sends `stream_options`, as some servers do.
    Plain,
    /// As steady; the usage frame tells of cached and of reasoning tokens.
    Cached,
    /// Calls the first tool it was offered.
    Tool,
    /// `max_tokens` chunks, then a TCP reset.
    LateReset,
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
pub(super) const NAMES: [(&str, Script); 19] = [
    ("steady", Script::Steady),
    ("slow", Script::Slow),
    ("stall", Script::Stall),
    ("silent", Script::Silent),
    ("trickle", Script::Trickle),
    ("reset", Script::Reset),
    ("truncate", Script::Truncate),
    ("liar", Script::Liar),
    ("nousage", Script::Nousage),
    ("strict", Script::Strict),
    ("plain", Script::Plain),
    ("cached", Script::Cached),
    ("tool", Script::Tool),
    ("late-reset", Script::LateReset),
    ("paced", Script::Paced),
    ("burst", Script::Burst),
    ("flood", Script::Flood),
    ("error500", Script::Error500),
    ("error503", Script::Error503),
];

/// Prompt tokens every usage frame claims, but the liar's.
const PROMPT_TOKENS: u64 = 11;
/// How many of them were cached, as `cached` claims.
const CACHED_TOKENS: u64 = 4;
/// What the liar claims, prompt and completion.
const LIES: (u64, u64) = (7_000_000, 9_000_000);

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
    /// The status with which it answers what was asked, where it serves nothing.
    pub(super) fn refuses(self, asked: &serde_json::Value) -> Option<u16> {
        match self {
            Self::Plain => asked.get("stream_options").map(|_| 400),
            Self::Error500 => Some(500),
            Self::Error503 => Some(503),
            Self::Steady
            | Self::Slow
            | Self::Stall
            | Self::Silent
            | Self::Trickle
            | Self::Reset
            | Self::Truncate
            | Self::Liar
            | Self::Nousage
            | Self::Strict
            | Self::Cached
            | Self::Tool
            | Self::LateReset
            | Self::Paced
            | Self::Burst
            | Self::Flood => None,
        }
    }

    /// The usage it claims after `chunks` content chunks; `asked` tells whether the client asked for it.
    pub(super) fn usage(self, chunks: u64, asked: bool) -> Option<Usage> {
        let claimed = |(prompt, completion)| {
            Some(Usage {
                prompt,
                completion,
                cached: 0,
                reasoning: 0,
            })
        };
        match self {
            Self::Nousage | Self::Plain => None,
            Self::Strict if !asked => None,
            Self::Liar => claimed(LIES),
            Self::Cached => Some(Usage {
                prompt: PROMPT_TOKENS,
                completion: chunks,
                cached: CACHED_TOKENS,
                reasoning: chunks / 2,
            }),
            Self::Steady
            | Self::Strict
            | Self::Tool
            | Self::LateReset
            | Self::Slow
            | Self::Stall
            | Self::Silent
            | Self::Trickle
            | Self::Reset
            | Self::Truncate
            | Self::Paced
            | Self::Burst
            | Self::Flood
            | Self::Error500
            | Self::Error503 => claimed((PROMPT_TOKENS, chunks)),
        }
    }
}
