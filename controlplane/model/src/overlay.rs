//! What a node agent lays over a gateway's routes, and the lines in which it says so.

use crate::budget::BudgetView;
use crate::trip::Trip;
use crate::{
    capture::{CaptureAsk, CaptureView},
    exchange::ExchangeView,
    standing::{TargetTest, TargetView},
};
use kill_wire::{Incident, LatchSet, Name, ProbePoints, Scope, Subject, Timestamp};
use serde::{Deserialize, Serialize};

/// What the wanted routes are overruled by. Wins over everything; empty means the routes hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overlay {
    /// Number of the order it comes from.
    pub seq: u64,
    /// Cut scopes.
    pub latches: LatchSet,
    /// Scopes closed because the kill switch is silent; they open by themselves when it speaks again.
    pub paused: Vec<Scope>,
    /// Scopes whose owner chose that silence holds them as they are: no pause closes these, a latch does.
    #[serde(default)]
    pub held: Vec<Scope>,
}

/// Why a request is overruled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Overruled<'a> {
    /// A latch holds.
    Cut(&'a Scope, Incident),
    /// The lease has lapsed.
    Paused(&'a Scope),
}

impl Overlay {
    /// What closes `subject`, if anything: a latch before a pause.
    #[must_use]
    pub fn overrules(&self, subject: &Subject<'_>) -> Option<Overruled<'_>> {
        if let Some(latch) = self.latches.closing(subject) {
            return Some(Overruled::Cut(&latch.scope, latch.incident));
        }
        if self.held.iter().any(|scope| scope.covers(subject)) {
            return None;
        }
        self.paused
            .iter()
            .find(|scope| scope.covers(subject))
            .map(Overruled::Paused)
    }
}

/// Agent to gateway, one JSON line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "lowercase")]
pub enum ControlRequest {
    /// Put this overlay in place of the one before; answer when what it closes has ended, or after 250 ms.
    Apply(Overlay),
    /// Say what is in force and what is open.
    Observe,
    /// The same, asked by the node agent: a sign of life. Without one the gateway pauses everything after 30 s.
    Follow,
    /// Write the bodies of a consumer's exchanges down for a while.
    Capture(CaptureAsk),
    /// End that before its time.
    StopCapture,
    /// Say what is captured.
    CaptureStatus,
    /// Ask this target once whether it is there, by a question that costs nothing.
    Test {
        /// Which.
        target: Name,
    },
}

/// Gateway to agent, one JSON line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "lowercase")]
pub enum ControlReply {
    /// The overlay is in force.
    Applied {
        /// Its number.
        seq: u64,
        /// Exchanges this overlay ended.
        severed: u32,
        /// Of these, not yet gone.
        lingering: u32,
    },
    /// What is in force and open.
    Observed(Box<Observed>),
    /// What is captured, or was until now.
    Capture {
        /// `None` when nothing is.
        capture: Option<CaptureView>,
    },
    /// A target was asked.
    Tested(TargetTest),
    /// Not understood, or older than what is in force.
    Refused {
        /// Why.
        message: String,
    },
}

/// What a gateway says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observed {
    /// Different after each start: a gateway that came back holds no overlay and must be told.
    pub boot: String,
    /// Number of the overlay in force; `None` before the first.
    pub seq: Option<u64>,
    /// Scopes paused now.
    pub paused: Vec<Scope>,
    /// Scopes that no pause closes now.
    #[serde(default)]
    pub held: Vec<Scope>,
    /// Since when it runs.
    pub started: Timestamp,
    /// How many exchanges are open.
    pub open: u32,
    /// The oldest of them, at most 200.
    pub exchanges: Vec<ExchangeView>,
    /// Where probes can stand, and which names exist.
    pub points: ProbePoints,
    /// Consumers of the gateway.
    pub consumers: Vec<Name>,
    /// Routes of the gateway.
    pub routes: Vec<Name>,
    /// How its targets fare.
    #[serde(default)]
    pub targets: Vec<TargetView>,
    /// How its budgets stand.
    #[serde(default)]
    pub budgets: Vec<BudgetView>,
    /// What it has closed by itself.
    #[serde(default)]
    pub trips: Vec<Trip>,
    /// What somebody should know, in a line each.
    #[serde(default)]
    pub notices: Vec<String>,
}
