//! Carries out an order: decides with `agent-core`, tells every gateway at once, then writes down.

use crate::clock;
use crate::hand::Hand;
use crate::receipt::{Told, receipt};
use crate::release;
use crate::tell::tell_all;
use kill_wire::{Receipt, Refusal};
use std::sync::Arc;

/// Verifies and carries out an order. Runs to its end even when nobody waits for the answer any more.
pub(crate) async fn carry_out(hand: &Arc<Hand>, order: &[u8]) -> Result<Receipt, Refusal> {
    let begun = clock::up();
    let verdict = hand.core().on_order(order, begun)?;
    let mut told = Told::default();
    if verdict.step.is_some() {
        told = tell_all(hand).await;
        told.unsaved = hand.save().await.err();
    }
    if let Some(release) = verdict.release {
        told.add(release::open(hand, release).await?);
    }
    Ok(receipt(hand, verdict.issuer, told, begun))
}
