//! What an exchange used: one line of the gateway's spool.

use crate::exchange::Ended;
use kill_wire::{Class, Incident, Name, Timestamp};
use serde::{Deserialize, Serialize};

/// One ended exchange, as the spool holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageRecord {
    /// Run of the gateway and number in it, such as `5f3a9c01-42`: the same exchange is counted once.
    pub id: String,
    /// When it ended.
    pub at: Timestamp,
    /// Who asked.
    pub consumer: Name,
    /// By which route.
    pub route: Name,
    /// To which target.
    pub target: Name,
    /// Where that stands.
    pub class: Class,
    /// The model asked for, at most 128 characters.
    pub model: String,
    /// Whether it streamed.
    pub stream: bool,
    /// HTTP status given to the client.
    pub status: u16,
    /// Tokens of the prompt.
    pub prompt_tokens: u64,
    /// Tokens of the answer.
    pub completion_tokens: u64,
    /// True when the upstream gave no figures and these are our own count.
    pub estimated: bool,
    /// From request to end, milliseconds.
    pub took_ms: u64,
    /// How it ended.
    pub ended: Ended,
    /// The incident that ended it, if one did.
    pub incident: Option<Incident>,
}

/// Tokens over a span of time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageTotals {
    /// Ended exchanges.
    pub exchanges: u64,
    /// Tokens of prompts.
    pub prompt_tokens: u64,
    /// Tokens of answers.
    pub completion_tokens: u64,
    /// How many of the exchanges were counted by ourselves.
    pub estimated: u64,
}
