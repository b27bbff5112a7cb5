//! Decides what a node holds shut: which orders count, when the lease has lapsed, when a gateway must be told again.
//!
//! Orders, observations and one clock in, steps out; nothing is read or done here. The clock is the time since the host
//! started, also while it slept: nobody can set it, and no decision asks for the time of day.
//!
//! **Invariant:** a latch goes only by a newer order of one of this house's keys that answers a challenge of the last
//! half minute, and whose loss was recorded first. Time, restarts, repeats and observations can close; none of them opens.

mod closing;
mod fenced;
mod issuer;
mod lease;
mod order;

pub use fenced::Fenced;
pub use issuer::{Held, Saved};
pub use lease::Silence;
pub use net_model::OnSilence;

use issuer::Issuer;
use kill_wire::{Challenge, Grant, Order, Refusal, VerifyingKey};
use lease::{Challenges, Lease};
use net_model::{Observed, Overlay};
use std::collections::BTreeMap;
use std::time::Duration;

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
    /// Which kill switch it came from, for [`AgentCore::seq`].
    pub issuer: usize,
}

impl Verdict {
    pub(crate) const fn closed(issuer: usize, step: Option<Step>) -> Self {
        Self {
            step,
            release: None,
            issuer,
        }
    }
}

/// A release that was ordered but is not in force. Only [`AgentCore::on_order`] makes one, and it is used up by
/// [`AgentCore::on_recorded`] or [`AgentCore::on_not_recorded`].
#[derive(Debug)]
pub struct Release {
    issuer: usize,
    held: Held,
    /// When the challenge it answers was given.
    given: Duration,
    grant: Grant,
}

impl Release {
    pub(crate) fn new(issuer: usize, given: Duration, order: Order) -> Self {
        Self {
            issuer,
            given,
            grant: order.grant.clone(),
            held: order.into(),
        }
    }
}

/// The decisions of one node agent.
#[derive(Debug)]
pub struct AgentCore {
    issuers: Vec<Issuer>,
    silence: Silence,
    challenges: Challenges,
    overlay: Overlay,
    /// The run of each gateway that was last seen.
    boots: BTreeMap<String, String>,
}

impl AgentCore {
    /// Starts closed: everything is paused until the first good order, whatever was saved.
    ///
    /// `doubtful` says that `saved` is missing or may not be the newest state: then everything stays paused until every
    /// key of `keys` was heard, because any of them may have cut what is not known here.
    #[must_use]
    pub fn new(
        saved: Option<Saved>,
        doubtful: bool,
        keys: &[VerifyingKey],
        silence: Silence,
    ) -> Self {
        let doubtful = doubtful || saved.is_none();
        let saved = saved.unwrap_or_default();
        let mut core = Self {
            issuers: keys
                .iter()
                .map(|key| Issuer::new(*key, &saved, doubtful))
                .collect(),
            silence,
            challenges: Challenges::default(),
            overlay: Overlay::default(),
            boots: BTreeMap::new(),
        };
        core.lay();
        core
    }

    /// The challenge that the next answer carries. `chance` is a number nobody can guess; it is not always used.
    pub fn challenge(&mut self, chance: u64, up: Duration) -> Challenge {
        self.challenges.give(chance, up)
    }

    /// What to write down before this release may come into force.
    ///
    /// # Errors
    /// [`Refusal::Stale`] when a newer order of the same kill switch has come in between.
    pub fn recording(&self, release: &Release) -> Result<Saved, Refusal> {
        let current = self.seq(release.issuer);
        if release.held.seq <= current {
            return Err(Refusal::Stale { current });
        }
        let mut saved = self.saved();
        if let Some(issuer) = self.issuers.get(release.issuer) {
            saved.issuers.insert(issuer.id(), release.held.clone());
        }
        Ok(saved)
    }

    /// The release is written down: it comes into force, unless a newer order has come in between.
    ///
    /// # Errors
    /// [`Refusal::Stale`] when one has.
    pub fn on_recorded(&mut self, release: Release) -> Result<Step, Refusal> {
        self.recording(&release)?;
        Ok(self.accept(release))
    }

    /// The release could not be written down: all that is held stays held. An order is a sign of life all the same,
    /// so a running lease goes on; one that had not begun, or had lapsed, does not.
    pub fn on_not_recorded(&mut self, release: Release, up: Duration) -> Option<Step> {
        self.recording(&release).ok()?;
        let Release {
            issuer: at,
            held,
            given,
            grant,
        } = release;
        let step = self.close(at, &held);
        let issuer = self.issuers.get_mut(at)?;
        issuer.held.seq = held.seq;
        issuer.lease = issuer.lease.prolonged(given, &grant, up);
        self.lay();
        step.map(|_| self.step(true))
    }

    /// Looks at the leases.
    pub fn on_tick(&mut self, up: Duration) -> Option<Step> {
        for issuer in &mut self.issuers {
            issuer.lease = issuer.lease.at(up);
        }
        let before = self.overlay.clone();
        self.lay();
        (self.overlay != before).then(|| self.step(false))
    }

    /// Compares what the gateway called `gateway` says of itself with what it should hold; a step is for it alone.
    pub fn on_observed(&mut self, gateway: &str, observed: &Observed) -> Option<Step> {
        let before = self.boots.insert(gateway.to_owned(), observed.boot.clone());
        let restarted = before.is_some_and(|boot| boot != observed.boot);
        // A gateway that outlived this agent's state knows a higher number; it must not refuse a cut for that.
        if observed.seq > Some(self.overlay.seq) {
            self.overlay.seq = observed.seq.unwrap_or(0).saturating_add(1);
        }
        let ours = &self.overlay;
        let same = observed.seq == Some(ours.seq)
            && observed.paused == ours.paused
            && observed.held == ours.held;
        (restarted || !same).then(|| self.step(false))
    }

    /// Lays what is closed now over the routes. Whatever changes gets a number of its own, so that a gateway that was
    /// not reached is told by the number alone.
    pub(crate) fn lay(&mut self) {
        let (paused, held) = self.lease().pauses(&self.silence);
        let newest = self.issuers.iter().map(|issuer| issuer.held.seq).max();
        let next = Overlay {
            seq: self.overlay.seq.max(newest.unwrap_or(0)),
            latches: closing::in_force(&self.issuers),
            paused,
            held,
        };
        let before = std::mem::replace(&mut self.overlay, next);
        if before.seq == self.overlay.seq && before != self.overlay {
            self.overlay.seq = before.seq.saturating_add(1);
        }
    }

    /// The lease of the whole house.
    pub(crate) fn lease(&self) -> Lease {
        if self.issuers.iter().any(|issuer| issuer.held.doubtful) {
            return Lease::Awaited;
        }
        let leases = self.issuers.iter().map(|issuer| issuer.lease);
        leases.reduce(Lease::or).unwrap_or(Lease::Awaited)
    }

    /// What every gateway must hold now.
    #[must_use]
    pub const fn overlay(&self) -> &Overlay {
        &self.overlay
    }

    /// Number of the newest order of one kill switch.
    #[must_use]
    pub fn seq(&self, issuer: usize) -> u64 {
        self.issuers.get(issuer).map_or(0, |it| it.held.seq)
    }

    /// What must outlive the process.
    #[must_use]
    pub fn saved(&self) -> Saved {
        let issuers = self.issuers.iter();
        let mut saved = Saved::default();
        saved.issuers = issuers
            .map(|issuer| (issuer.id(), issuer.held.clone()))
            .collect();
        saved
    }

    /// Whether every lease has run out, or none has begun, for people to see.
    #[must_use]
    pub fn silent(&self) -> bool {
        !matches!(self.lease(), Lease::Until(_))
    }
}
