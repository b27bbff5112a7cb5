//! One moment of the house, as the dashboard shows it.

use crate::{
    budget::BudgetView,
    exchange::ExchangeView,
    remark::{FallbackView, Remark},
    standing::TargetView,
    usage::UsageTotals,
};
use kill_wire::{IncidentRecord, StateReport, Timestamp};
use serde::{Deserialize, Serialize};

/// Everything the first page shows. A part that could not be read says why instead.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// When it was taken.
    pub at: Timestamp,
    /// The kill switch.
    pub killswitch: Result<StateReport, String>,
    /// Newest incidents first.
    pub incidents: Vec<IncidentRecord>,
    /// The gateway.
    pub gateway: Result<GatewayFacts, String>,
    /// Tokens of the last hour.
    pub last_hour: UsageTotals,
    /// Tokens a minute over the last hour, oldest first, 60 figures.
    pub minutes: Vec<u64>,
    /// What the gateway noticed, newest first.
    pub remarks: Vec<Remark>,
    /// Which targets took the place of others in the last hour, the last first.
    pub fallbacks: Vec<FallbackView>,
    /// True when the built-in demo model answers.
    pub demo: bool,
}

/// What the dashboard shows of a gateway.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatewayFacts {
    /// How many exchanges are open.
    pub open: u32,
    /// The oldest of them.
    pub exchanges: Vec<ExchangeView>,
    /// Routes and consumers that may be cut by name.
    pub names: Vec<String>,
    /// How its targets fare.
    #[serde(default)]
    pub targets: Vec<TargetView>,
    /// How its budgets stand.
    #[serde(default)]
    pub budgets: Vec<BudgetView>,
}
