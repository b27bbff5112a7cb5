//! Carries out an order: decides with `agent-core`, tells every gateway at once, then writes down.

use crate::hand::{Hand, Reach};
use gateways::{Gateway as _, LIMIT, Severed};
use kill_wire::{Receipt, Refusal};
use std::sync::Arc;
use tokio::task::JoinSet;

/// What came of telling the gateways.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) cut: Severed,
    /// Who could not be told, or what could not be written, each with the reason.
    pub(crate) failed: Vec<String>,
}

impl Hand {
    /// Verifies and carries out an order. Runs to its end even when nobody waits for the answer any more.
    pub(crate) async fn carry_out(self: Arc<Self>, order: &[u8]) -> Result<Receipt, Refusal> {
        let begun = self.clock.now();
        let verdict = self.core().on_order(order, &self.key, begun)?;
        let mut told = Told::default();
        if verdict.step.is_some() {
            told = self.tell_all().await;
            told.failed.extend(self.save().await.err());
        }
        if let Some(release) = verdict.release {
            told.add(self.release(release).await?);
        }
        Ok(self.receipt(told, begun))
    }

    /// Puts the overlay in force at every gateway at once.
    pub(crate) async fn tell_all(self: &Arc<Self>) -> Told {
        let mut calls = JoinSet::new();
        for reach in &self.reaches {
            let (hand, reach) = (Arc::clone(self), Arc::clone(reach));
            calls.spawn(async move { hand.tell(&reach, 0).await });
        }
        let mut told = Told::default();
        while let Some(call) = calls.join_next().await {
            told.add(call.unwrap_or_else(|panic| Told::failed(panic.to_string())));
        }
        told
    }

    /// Tells one gateway what is in force now. A pause carries at least the number `at_least`.
    pub(crate) async fn tell(&self, reach: &Reach, at_least: u64) -> Told {
        let call = async {
            let _turn = reach.turn.lock().await;
            let mut overlay = self.core().overlay().clone();
            if !overlay.paused.is_empty() {
                overlay.seq = overlay.seq.max(at_least);
            }
            reach.driver.apply(&overlay).await
        };
        match tokio::time::timeout(LIMIT, call).await {
            Ok(Ok(cut)) => Told {
                cut,
                failed: Vec::new(),
            },
            Ok(Err(error)) => Told::failed(format!("{}: {error}", reach.name)),
            Err(_) => Told::failed(format!("{}: did not answer within {LIMIT:?}", reach.name)),
        }
    }
}

impl Told {
    fn failed(why: String) -> Self {
        Self {
            failed: vec![why],
            ..Self::default()
        }
    }

    fn add(&mut self, other: Self) {
        self.cut.severed += other.cut.severed;
        self.cut.lingering += other.cut.lingering;
        self.failed.extend(other.failed);
    }
}
