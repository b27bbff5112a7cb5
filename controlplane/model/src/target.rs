//! A server a route can lead to, and what is asked of it.

use crate::{address::BaseUrl, api::TargetKind, secret::Secret};
use kill_wire::{Class, Name};
use std::time::Duration;

/// A server a route can lead to.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its name.
    pub name: Name,
    /// Inside or outside the house.
    pub class: Class,
    /// Where it stands.
    pub base_url: BaseUrl,
    /// Sent instead of the consumer's key.
    pub key: Option<Secret>,
    /// What it is.
    pub kind: TargetKind,
    /// Models that it knows by another name.
    pub models: Vec<Renamed>,
    /// How long it may take.
    pub timeouts: Timeouts,
    /// Most exchanges at the same time; the next target is asked beyond.
    pub max_open: Option<u32>,
    /// When it is left alone for a while.
    pub breaker: BreakerRule,
    /// How often it is asked, without cost, whether it is well; `None`: never.
    pub health_every: Option<Duration>,
}

/// One model under two names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renamed {
    /// What clients ask for.
    pub asked: String,
    /// What the target is asked for instead.
    pub sent: String,
}

/// How long a target may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// To connect, TLS included.
    pub connect: Duration,
    /// From the request to the first byte of an answer.
    pub first_byte: Duration,
    /// Between two pieces of an answer.
    pub idle: Duration,
}

impl Default for Timeouts {
    /// Models may think long: four seconds, ten minutes, five minutes.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(4),
            first_byte: Duration::from_mins(10),
            idle: Duration::from_mins(5),
        }
    }
}

/// "Fails repeatedly over a set period": when a target's breaker opens, and how it closes again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerRule {
    /// Failures that open it.
    pub failures: u32,
    /// Within this span.
    pub within: Duration,
    /// Left alone for this long; then one request may try.
    pub pause: Duration,
    /// A first token later than this counts as a failure; `None`: however late it comes.
    pub slow_first_token: Option<Duration>,
}

impl Default for BreakerRule {
    /// Five failures in a minute; a try after fifteen seconds.
    fn default() -> Self {
        Self {
            failures: 5,
            within: Duration::from_mins(1),
            pause: Duration::from_secs(15),
            slow_first_token: None,
        }
    }
}

impl Target {
    /// A target with everything beyond name, class and address as it usually is.
    #[must_use]
    pub fn new(name: Name, class: Class, base_url: BaseUrl) -> Self {
        Self {
            name,
            class,
            base_url,
            key: None,
            kind: TargetKind::default(),
            models: Vec::new(),
            timeouts: Timeouts::default(),
            max_open: None,
            breaker: BreakerRule::default(),
            health_every: None,
        }
    }

    /// Under which name this target knows a model.
    #[must_use]
    pub fn model<'a>(&'a self, asked: &'a str) -> &'a str {
        let renamed = self.models.iter().find(|model| model.asked == asked);
        renamed.map_or(asked, |model| &model.sent)
    }
}
