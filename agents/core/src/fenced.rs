//! How a fence must stand: closed by the same latches and the same silence as the gateways.

use crate::AgentCore;
use crate::lease::Lease;
use kill_wire::{Incident, Scope};
use net_model::OnSilence;
use std::time::Duration;

/// How one way of a fence must stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fenced {
    /// This incident closes it.
    Cut(Incident),
    /// Nobody permits it now.
    Paused,
    /// Open: for this long without another order, or until an order or a tick says otherwise.
    Open(Option<Duration>),
}

impl AgentCore {
    /// How a way must stand that any of these scopes closes.
    #[must_use]
    pub fn fenced(&self, closes_on: &[Scope], up: Duration) -> Fenced {
        let overlay = self.overlay();
        let mut latches = overlay.latches.as_slice().iter();
        if let Some(latch) = latches.find(|latch| closes_on.contains(&latch.scope)) {
            return Fenced::Cut(latch.incident);
        }
        let any = |scopes: &[Scope]| scopes.iter().any(|scope| closes_on.contains(scope));
        if any(&overlay.paused) && !any(&overlay.held) {
            return Fenced::Paused;
        }
        // What silence does not close must not close in the kernel either.
        if self.silence.all == OnSilence::Hold || any(&self.silence.hold) {
            return Fenced::Open(None);
        }
        match self.lease() {
            Lease::Until(end) => Fenced::Open(Some(end.saturating_sub(up))),
            Lease::Awaited | Lease::Lapsed => Fenced::Paused,
        }
    }
}
