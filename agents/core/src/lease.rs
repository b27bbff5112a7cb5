//! How long silence is still permission. Measured by a clock that nobody sets and that goes on while the host sleeps.

use kill_wire::{Challenge, Grant, Scope};
use net_model::OnSilence;
use std::collections::VecDeque;
use std::time::Duration;

/// No order grants more than this at a time.
const LONGEST: Duration = Duration::from_secs(120);
/// An order that answers no challenge as young as this is late.
const FRESH: Duration = Duration::from_secs(30);
/// A challenge is given again for this long: asking for many does not push out the one an order is on its way to answer.
const SAME: Duration = Duration::from_secs(1);

/// What silence does on this host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Silence {
    /// For every scope.
    pub all: OnSilence,
    /// Scopes that stay as they are all the same, such as a local model that the house depends on. A latch closes them.
    pub hold: Vec<Scope>,
}

/// Where the lease of one kill switch stands, or that of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lease {
    /// No good order since the start.
    Awaited,
    /// Runs until this moment.
    Until(Duration),
    /// Ran out.
    Lapsed,
}

impl Lease {
    /// Runs from when the answered challenge was given: a grant that was held back on its way is no longer for that.
    pub(crate) fn renewed(self, given: Duration, grant: &Grant) -> Self {
        let granted = Duration::from_millis(grant.lease_ms).min(LONGEST);
        let end = given.saturating_add(granted);
        match self {
            Self::Until(before) => Self::Until(before.max(end)),
            Self::Awaited | Self::Lapsed => Self::Until(end),
        }
    }

    /// Goes on when it runs, and begins nothing when it does not.
    pub(crate) fn prolonged(self, given: Duration, grant: &Grant, up: Duration) -> Self {
        match self.at(up) {
            running @ Self::Until(_) => running.renewed(given, grant),
            idle @ (Self::Awaited | Self::Lapsed) => idle,
        }
    }

    pub(crate) fn at(self, up: Duration) -> Self {
        match self {
            Self::Until(end) if up >= end => Self::Lapsed,
            Self::Until(_) | Self::Awaited | Self::Lapsed => self,
        }
    }

    /// Permission lives while one of them lives.
    pub(crate) fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Until(a), Self::Until(b)) => Self::Until(a.max(b)),
            (running @ Self::Until(_), _) | (_, running @ Self::Until(_)) => running,
            (Self::Lapsed, _) | (_, Self::Lapsed) => Self::Lapsed,
            (Self::Awaited, Self::Awaited) => Self::Awaited,
        }
    }

    /// Which scopes are paused, and which of them hold. Before the first order everything is paused, also where
    /// silence may hold: there is nothing yet to hold.
    pub(crate) fn pauses(self, silence: &Silence) -> (Vec<Scope>, Vec<Scope>) {
        match (self, silence.all) {
            (Self::Awaited, _) => (vec![Scope::All], Vec::new()),
            (Self::Lapsed, OnSilence::Cut) => (vec![Scope::All], silence.hold.clone()),
            (Self::Until(_), _) | (Self::Lapsed, OnSilence::Hold) => (Vec::new(), Vec::new()),
        }
    }
}

/// The challenges of the last half minute, oldest first, each with when it was given.
#[derive(Debug, Default)]
pub(crate) struct Challenges(VecDeque<(Challenge, Duration)>);

impl Challenges {
    /// The newest, if it is that young; else one of this chance.
    pub(crate) fn give(&mut self, chance: u64, up: Duration) -> Challenge {
        self.0
            .retain(|(_, given)| up.saturating_sub(*given) <= FRESH);
        if let Some((newest, given)) = self.0.back()
            && up.saturating_sub(*given) < SAME
        {
            return *newest;
        }
        let fresh = Challenge(chance);
        self.0.push_back((fresh, up));
        fresh
    }

    /// When the newest of those that are answered was given, if that is not too long ago.
    pub(crate) fn answered(&self, answers: &[Challenge], up: Duration) -> Option<Duration> {
        let mut newest_first = self.0.iter().rev();
        let (_, given) = newest_first.find(|(challenge, _)| answers.contains(challenge))?;
        (up.saturating_sub(*given) <= FRESH).then_some(*given)
    }
}
