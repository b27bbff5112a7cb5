//! What an agent answers to an order.

use serde::{Deserialize, Serialize};

/// The order was carried out by every gateway of this host that could be reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Number of the order now in force.
    pub seq: u64,
    /// The host that answers.
    pub node: String,
    /// Streams and waiting requests that were ended by this order.
    pub severed: u32,
    /// Of these, how many had not gone within the agent's limit.
    pub lingering: u32,
    /// Gateways that could not be told, each with the reason; empty when all were.
    pub failed: Vec<String>,
    /// Why this is not written down on the agent's host.
    #[serde(default)]
    pub unsaved: Option<String>,
    /// What the fence of this host did; none where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fence: Option<FenceReceipt>,
    /// Time from receiving the order to this answer, in microseconds.
    pub took_us: u64,
}

/// What the fence of a host did. What did not work stands in [`Receipt::failed`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FenceReceipt {
    /// Zones, or the host itself, that are closed now.
    pub closed: Vec<String>,
    /// Control groups that were frozen by this order.
    #[serde(default)]
    pub frozen: u32,
    /// Connections of the host that were ended by this order.
    #[serde(default)]
    pub destroyed: u32,
}

/// The order was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "refused", rename_all = "lowercase")]
pub enum Refusal {
    /// An order at least as new is in force; send one with a higher number.
    Stale {
        /// Number of the order in force.
        current: u64,
    },
    /// It answers no challenge of the last 30 seconds, so it permits nothing; send one that answers the newest.
    Unanswered,
    /// Not an order of this house.
    Unsigned,
    /// It releases something, and that could not be written down first: all that was held stays held.
    NotSaved {
        /// Why, for people.
        why: String,
    },
}
