//! Opens what an order releases, once that is written down. Not on the way of a cut.

use crate::clock;
use crate::hand::Hand;
use crate::receipt::Told;
use crate::tell::tell_all;
use agent_core::Release;
use kill_wire::Refusal;
use std::sync::Arc;

/// Gives what the gateways said once it was written down, or why it was refused.
pub(crate) async fn open(hand: &Arc<Hand>, release: Release) -> Result<Told, Refusal> {
    let mut turn = hand.record.turn().await;
    let saved = hand.core().recording(&release)?;
    let written = turn.write(saved).await;
    match written {
        Ok(()) => {
            hand.core().on_recorded(release)?;
            drop(turn);
            Ok(tell_all(hand).await)
        }
        Err(error) => {
            drop(turn);
            tracing::error!(%error, "A release could not be written down and was refused.");
            let step = hand.core().on_not_recorded(release, clock::up());
            if step.is_some() {
                tell_all(hand).await;
            }
            let why = error.to_string();
            Err(Refusal::NotSaved { why })
        }
    }
}
