//! Says what became of an order, to the log and to the kill switch.

use crate::clock;
use crate::hand::Hand;
use gateways::Severed;
use kill_wire::{FenceReceipt, Receipt};
use std::time::Duration;

/// What came of telling the gateways.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) cut: Severed,
    /// Who could not be told, each with the reason.
    pub(crate) failed: Vec<String>,
    /// Why it is not written down.
    pub(crate) unsaved: Option<String>,
    /// What the fence did.
    pub(crate) fence: Option<FenceReceipt>,
}

/// What the kill switch is answered.
pub(crate) fn receipt(hand: &Hand, issuer: usize, told: Told, begun: Duration) -> Receipt {
    let seq = hand.core().seq(issuer);
    let took = clock::up().saturating_sub(begun);
    if told.cut.severed > 0 || !told.failed.is_empty() || told.unsaved.is_some() {
        tracing::info!(seq, severed = told.cut.severed, failed = ?told.failed, unsaved = ?told.unsaved, ?took, "Order carried out.");
    }
    Receipt {
        seq,
        node: hand.node.clone(),
        severed: told.cut.severed,
        lingering: told.cut.lingering,
        failed: told.failed,
        unsaved: told.unsaved,
        fence: told.fence,
        took_us: u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
    }
}

impl Told {
    /// What one gateway ended. Where something goes on there, nobody may call it cut: whoever ordered it hears of it as of
    /// a gateway that could not be told.
    pub(crate) fn of(gateway: &str, cut: Severed) -> Self {
        let goes_on = cut.goes_on.iter();
        Self {
            failed: goes_on
                .map(|why| format!("{gateway}: streams go on: {why}"))
                .collect(),
            cut,
            ..Self::default()
        }
    }

    pub(crate) fn failed(why: String) -> Self {
        Self {
            failed: vec![why],
            ..Self::default()
        }
    }

    /// Adds what came of telling others.
    pub(crate) fn add(&mut self, other: Self) {
        self.cut.severed += other.cut.severed;
        self.cut.lingering += other.cut.lingering;
        self.failed.extend(other.failed);
        self.fence = other.fence.or(self.fence.take());
    }
}
