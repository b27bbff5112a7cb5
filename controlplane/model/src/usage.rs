//! What an exchange used: one line of the gateway's spool.

use crate::{api::Api, exchange::Ended, money::MicroDollars};
use kill_wire::{Class, Incident, Name, Timestamp};
use serde::{Deserialize, Serialize};

/// Tokens of one exchange.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    /// Of the prompt, with what was read from a cache or put into one.
    pub prompt: u64,
    /// Of the prompt, those that the target had cached.
    pub cached: u64,
    /// Of the prompt, those that the target put into its cache.
    pub cache_written: u64,
    /// Of these, those that it keeps for an hour.
    pub cache_written_hour: u64,
    /// Of the prompt, those of sound: what the model heard.
    pub heard: u64,
    /// Of these, those that the target had cached.
    pub heard_cached: u64,
    /// Of the answer, reasoning included.
    pub completion: u64,
    /// Of the answer, those of sound: what the model spoke.
    pub spoken: u64,
    /// Of the answer, those spent on reasoning.
    pub reasoning: u64,
    /// True when a figure is our own count, because the upstream gave none.
    pub estimated: bool,
}

impl Tokens {
    /// Of prompt and answer together.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.prompt.saturating_add(self.completion)
    }
}

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
    /// In which API it was asked; chat where an older gateway did not say.
    #[serde(default = "chat")]
    pub api: Api,
    /// Of the prompt's tokens, those the target had cached.
    #[serde(default)]
    pub cached_tokens: u64,
    /// Of the answer's tokens, those spent on reasoning.
    #[serde(default)]
    pub reasoning_tokens: u64,
    /// What it cost; `None` when the price is unknown.
    #[serde(default)]
    pub cost: Option<MicroDollars>,
    /// The first choice, when another target had to take its place.
    #[serde(default)]
    pub fell_back_from: Option<Name>,
    /// From request to the first byte of the answer's body, milliseconds; `None` when none came.
    #[serde(default)]
    pub first_byte_ms: Option<u64>,
}

const fn chat() -> Api {
    Api::Chat
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
    /// What the exchanges with a known price cost.
    #[serde(default)]
    pub cost: MicroDollars,
    /// How many have no known price and stand in no sum of money.
    #[serde(default)]
    pub unknown_price: u64,
}

impl UsageTotals {
    /// Both together.
    #[must_use]
    pub fn plus(self, more: Self) -> Self {
        Self {
            exchanges: self.exchanges.saturating_add(more.exchanges),
            prompt_tokens: self.prompt_tokens.saturating_add(more.prompt_tokens),
            completion_tokens: self
                .completion_tokens
                .saturating_add(more.completion_tokens),
            estimated: self.estimated.saturating_add(more.estimated),
            cost: MicroDollars(self.cost.0.saturating_add(more.cost.0)),
            unknown_price: self.unknown_price.saturating_add(more.unknown_price),
        }
    }
}
