//! One request and its answer, as the gateway sees it.

use kill_wire::{Class, Name, Timestamp};
use serde::{Deserialize, Serialize};

/// How an exchange ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// The whole answer was delivered.
    Complete,
    /// The kill switch ended it: a cut, or its silence.
    Cut,
    /// A budget's end cut it off.
    Budget,
    /// What the gateway has closed by itself ended it: a trip.
    Tripped,
    /// The gateway stopped.
    Stopped,
    /// The client went away.
    ClientGone,
    /// The upstream failed or broke off.
    UpstreamFailed,
}

impl Ended {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Complete,
        Self::Cut,
        Self::Budget,
        Self::Tripped,
        Self::Stopped,
        Self::ClientGone,
        Self::UpstreamFailed,
    ];

    /// As it stands in logs, the ledger and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Cut => "cut",
            Self::Budget => "budget",
            Self::Tripped => "tripped",
            Self::Stopped => "stopped",
            Self::ClientGone => "client_gone",
            Self::UpstreamFailed => "upstream_failed",
        }
    }
}

/// One open exchange.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExchangeView {
    /// Number within this run of the gateway.
    pub id: u64,
    /// Who asks.
    pub consumer: Name,
    /// By which route.
    pub route: Name,
    /// To which target, once chosen.
    pub target: Option<Name>,
    /// Where that stands.
    pub class: Option<Class>,
    /// The model asked for, bounded and without control characters.
    pub model: String,
    /// Whether the answer streams.
    pub streaming: bool,
    /// Since when.
    pub since: Timestamp,
}
