//! Opens what an order releases, once that is written down. Not on the way of a cut.

use crate::carry_out::Told;
use crate::hand::Hand;
use agent_core::Release;
use kill_wire::Refusal;
use std::sync::Arc;

impl Hand {
    pub(crate) async fn release(self: &Arc<Self>, release: Release) -> Result<Told, Refusal> {
        let saved = release.saved();
        let mut turn = self.record.turn().await;
        let current = self.core().saved().seq;
        if saved.seq <= current {
            return Err(Refusal::Stale { current });
        }
        let written = turn.write(saved).await;
        let now = self.clock.now();
        match written {
            Ok(()) => {
                self.core().on_recorded(release, now)?;
                drop(turn);
                Ok(self.tell_all().await)
            }
            Err(error) => {
                drop(turn);
                tracing::error!(%error, "A release could not be written down and was refused.");
                let step = self.core().on_not_recorded(release, now);
                if step.is_some() {
                    self.tell_all().await;
                }
                let why = error.to_string();
                Err(Refusal::NotSaved { why })
            }
        }
    }
}
