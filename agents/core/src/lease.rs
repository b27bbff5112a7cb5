//! How long silence is still permission. Measured by the time since start, so that setting a clock cannot stretch it.

use kill_wire::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// No order grants more than this at a time.
const LONGEST: Duration = Duration::from_secs(120);

/// What a lapsed lease does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnSilence {
    /// Everything is paused until the kill switch speaks again.
    #[default]
    Cut,
    /// What was in force stays in force.
    Hold,
}

/// Where the lease stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lease {
    /// No good order since the start.
    Awaited,
    /// Runs until this much time since start.
    Until(Duration),
    /// Ran out.
    Lapsed,
}

impl Lease {
    pub(crate) fn begun(issued: Timestamp, until: Timestamp, up: Duration) -> Self {
        let granted = Duration::from_millis(until.since(issued)).min(LONGEST);
        Self::Until(up.saturating_add(granted))
    }

    /// Goes on when it runs, and begins nothing when it does not.
    pub(crate) fn prolonged(self, issued: Timestamp, until: Timestamp, up: Duration) -> Self {
        match self.at(up) {
            Self::Until(_) => Self::begun(issued, until, up),
            idle @ (Self::Awaited | Self::Lapsed) => idle,
        }
    }

    pub(crate) fn at(self, up: Duration) -> Self {
        match self {
            Self::Until(end) if up >= end => Self::Lapsed,
            Self::Until(_) | Self::Awaited | Self::Lapsed => self,
        }
    }

    /// Before the first order everything is paused, also where silence may hold: there is nothing yet to hold.
    pub(crate) const fn pauses(self, on_silence: OnSilence) -> bool {
        match (self, on_silence) {
            (Self::Awaited, _) | (Self::Lapsed, OnSilence::Cut) => true,
            (Self::Until(_), _) | (Self::Lapsed, OnSilence::Hold) => false,
        }
    }
}
