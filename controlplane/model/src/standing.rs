//! How a target fares, as its gateway sees it.

use kill_wire::{Class, Name, Timestamp};
use serde::{Deserialize, Serialize};

/// Whether a target is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BreakerState {
    /// It is asked.
    #[default]
    Closed,
    /// One request tries whether it is well again.
    HalfOpen,
    /// It is left alone.
    Open,
}

impl BreakerState {
    /// As logs, metrics and people read it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::HalfOpen => "half-open",
            Self::Open => "open",
        }
    }
}

/// One target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetView {
    /// Its name.
    pub name: Name,
    /// Where it stands.
    pub class: Class,
    /// Whether it is asked.
    pub state: BreakerState,
    /// Since when this is so; 0 where nobody knows.
    pub since: Timestamp,
    /// What opened it, in a few fixed words; `None` while it is closed.
    pub why: Option<String>,
    /// Failures within the span of its rule.
    pub failures: u32,
    /// Exchanges open with it.
    pub open: u32,
    /// What the last probe of its health found; `None` before the first, and when it is not probed.
    pub health: Option<HealthView>,
}

/// What a probe of a target's health found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthView {
    /// When.
    pub at: Timestamp,
    /// Whether it was well.
    pub well: bool,
}

/// What asking a target once, by a question that costs nothing, has found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetTest {
    /// Which.
    pub target: Name,
    /// When it was asked.
    pub at: Timestamp,
    /// Until the head of its answer was there, or until it was given up; milliseconds.
    pub took_ms: u64,
    /// What came of it.
    pub found: TestFound,
}

/// What came of asking a target once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum TestFound {
    /// It answered.
    Answered {
        /// The HTTP status.
        status: u16,
    },
    /// It did not.
    Silent {
        /// Why, in one line.
        why: String,
    },
    /// Every way to it is closed, so nothing was sent, or what was sent was broken off.
    Closed,
}
