//! What an order does: the way of a cut, from signed bytes to the overlay that closes.

use crate::lease::Lease;
use crate::{AgentCore, Now, Release, Saved, Step, Verdict, closing};
use kill_wire::{LatchSet, Order, Refusal, Scope, VerifyingKey};
use net_model::Overlay;

/// An order signed later than this after the agent's clock is not believed, in milliseconds.
const MAX_AHEAD_MS: u64 = 5 * 60 * 1000;

impl AgentCore {
    /// Reads an order.
    ///
    /// # Errors
    /// When nothing follows from it: not signed by this house, not newer, or out of time without closing more.
    pub fn on_order(
        &mut self,
        bytes: &[u8],
        key: &VerifyingKey,
        now: Now,
    ) -> Result<Verdict, Refusal> {
        let order = Order::open(bytes, key).map_err(|_| Refusal::Unsigned)?;
        if order.seq <= self.saved.seq {
            let current = self.saved.seq;
            return Err(Refusal::Stale { current });
        }
        if now.wall > order.expires || order.issued > now.wall.plus_millis(MAX_AHEAD_MS) {
            // Late word that something was cut still closes it. It releases nothing and permits nothing.
            let step = self.close(&order.latches);
            let now = now.wall.millis();
            return step
                .map(|step| Verdict {
                    step: Some(step),
                    release: None,
                })
                .ok_or(Refusal::Expired { now });
        }
        if self.doubtful || closing::releases(&self.saved.latches, &order.latches) {
            return Ok(Verdict {
                step: self.close(&order.latches),
                release: Some(Release(order)),
            });
        }
        let step = Some(self.accept(order, now));
        Ok(Verdict {
            step,
            release: None,
        })
    }

    pub(crate) fn accept(&mut self, order: Order, now: Now) -> Step {
        self.lease = Lease::begun(order.issued, order.lease_until, now.up);
        self.doubtful = false;
        self.saved = Saved {
            seq: order.seq,
            latches: order.latches,
        };
        self.lay();
        self.step(true)
    }

    pub(crate) fn close(&mut self, latches: &LatchSet) -> Option<Step> {
        let held = closing::union(&self.saved.latches, latches);
        if held == self.saved.latches {
            return None;
        }
        self.saved.latches = held;
        self.lay();
        Some(self.step(true))
    }

    pub(crate) fn step(&self, save: bool) -> Step {
        let overlay = self.overlay.clone();
        Step { overlay, save }
    }

    pub(crate) fn lay(&mut self) {
        let paused = self.lease.pauses(self.on_silence);
        self.overlay = Overlay {
            seq: self.saved.seq,
            latches: self.saved.latches.clone(),
            paused: if paused { vec![Scope::All] } else { Vec::new() },
        };
    }
}
