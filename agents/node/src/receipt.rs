//! Says what became of an order, to the log and to the kill switch.

use crate::clock;
use crate::hand::Hand;
use crate::tell::Told;
use kill_wire::Receipt;
use std::time::Duration;

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
