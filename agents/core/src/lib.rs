//! Decides what a node holds shut: which order counts, when the lease has lapsed, when a gateway must be told again.
//!
//! Orders, observations and two clocks in, steps out; nothing is read or done here.
//!
//! **Invariant:** a latch goes only by a newer, unexpired order of this house's key whose loss was recorded first.
//! Time, restarts, repeats and observations can close; none of them opens.

mod closing;
mod lease;
mod order;

pub use lease::OnSilence;

use kill_wire::{LatchSet, Order, Refusal, Timestamp};
use lease::Lease;
use net_model::{Observed, Overlay};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// The two clocks of this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Time of day: says whether an order has expired.
    pub wall: Timestamp,
    /// Time since some fixed instant, never set back: measures the lease.
    pub up: Duration,
}

/// What outlives the process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Saved {
    /// Number of the newest order.
    pub seq: u64,
    /// What it cut.
    pub latches: LatchSet,
}

/// Put this overlay in force at once; when `save` is set, write [`AgentCore::saved`] down afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What the gateway must hold.
    pub overlay: Overlay,
    /// Whether what outlives the process has changed.
    pub save: bool,
}

/// What follows from an order, in this order.
#[derive(Debug)]
#[must_use = "a step that is not taken leaves something open"]
pub struct Verdict {
    /// First: the overlay to put in force now. Closes at least what was closed before, unless nothing is recorded first.
    pub step: Option<Step>,
    /// Then: a release that waits until it is written down.
    pub release: Option<Release>,
}

/// A release that was ordered but is not in force. Only [`AgentCore::on_order`] makes one, and it is used up by
/// [`AgentCore::on_recorded`] or [`AgentCore::on_not_recorded`].
#[derive(Debug)]
pub struct Release(Order);

impl Release {
    /// What to write down before it may come into force.
    #[must_use]
    pub fn saved(&self) -> Saved {
        Saved {
            seq: self.0.seq,
            latches: self.0.latches.clone(),
        }
    }
}

/// The decisions of one node agent.
#[derive(Debug)]
pub struct AgentCore {
    saved: Saved,
    /// What was saved may lack a cut; the first order is then recorded before it opens anything.
    doubtful: bool,
    on_silence: OnSilence,
    lease: Lease,
    overlay: Overlay,
    /// The run of each gateway that was last seen.
    boots: BTreeMap<String, String>,
}

impl AgentCore {
    /// Starts closed: everything is paused until the first good order, whatever was saved.
    ///
    /// `doubtful` says that `saved` is missing or may not be the newest state.
    #[must_use]
    pub fn new(saved: Option<Saved>, doubtful: bool, on_silence: OnSilence) -> Self {
        let mut core = Self {
            doubtful: doubtful || saved.is_none(),
            saved: saved.unwrap_or_default(),
            on_silence,
            lease: Lease::Awaited,
            overlay: Overlay::default(),
            boots: BTreeMap::new(),
        };
        core.lay();
        core
    }

    /// The release is written down: it comes into force, unless a newer order has come in between.
    ///
    /// # Errors
    /// [`Refusal::Stale`] when one has.
    pub fn on_recorded(&mut self, release: Release, now: Now) -> Result<Step, Refusal> {
        if release.0.seq <= self.saved.seq {
            let current = self.saved.seq;
            return Err(Refusal::Stale { current });
        }
        Ok(self.accept(release.0, now))
    }

    /// The release could not be written down: all that is held stays held. An order is a sign of life all the same,
    /// so a running lease goes on; one that had not begun, or had lapsed, does not.
    pub fn on_not_recorded(&mut self, release: Release, now: Now) -> Option<Step> {
        let order = release.0;
        if order.seq <= self.saved.seq {
            return None;
        }
        let step = self.close(&order.latches);
        self.saved.seq = order.seq;
        self.lease = self
            .lease
            .prolonged(order.issued, order.lease_until, now.up);
        self.lay();
        step.map(|_| self.step(true))
    }

    /// Looks at the lease.
    pub fn on_tick(&mut self, now: Now) -> Option<Step> {
        self.lease = self.lease.at(now.up);
        let before = std::mem::take(&mut self.overlay);
        self.lay();
        (self.overlay != before).then(|| self.step(false))
    }

    /// Compares what the gateway called `gateway` says of itself with what it should hold; a step is for it alone.
    pub fn on_observed(&mut self, gateway: &str, observed: &Observed) -> Option<Step> {
        let mut step = self.step(false);
        let before = self.boots.insert(gateway.to_owned(), observed.boot.clone());
        let restarted = before.is_some_and(|boot| boot != observed.boot);
        // A gateway that outlived this agent's state knows a higher number; it must not refuse a pause for that.
        if self.lease.pauses(self.on_silence) {
            step.overlay.seq = step.overlay.seq.max(observed.seq.unwrap_or(0));
        }
        let same = observed.seq == Some(step.overlay.seq) && observed.paused == step.overlay.paused;
        (restarted || !same).then_some(step)
    }

    /// What every gateway must hold now.
    #[must_use]
    pub const fn overlay(&self) -> &Overlay {
        &self.overlay
    }

    /// What must outlive the process.
    #[must_use]
    pub const fn saved(&self) -> &Saved {
        &self.saved
    }

    /// Whether a lease has run out, or none has begun, for people to see.
    #[must_use]
    pub const fn silent(&self) -> bool {
        !matches!(self.lease, Lease::Until(_))
    }
}
