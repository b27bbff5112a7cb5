//! Which scopes are cut. A latch has no expiry: nothing here opens by time passing.

use crate::{probe::Subject, scope::Scope, time::Timestamp};
use serde::{Deserialize, Serialize};
use std::{fmt, num::NonZeroU32, str::FromStr};

/// Number of one latch from cut to restore; shown as `#7`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Incident(NonZeroU32);

/// A text that is not an incident number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an incident is a whole number from 1, such as `7` or `#7`")]
pub struct NotAnIncident;

impl Incident {
    /// The first incident a kill switch ever opens.
    pub const FIRST: Self = Self(NonZeroU32::MIN);

    /// Its number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0.get()
    }

    /// The one after this; stays at the last number there is rather than starting over.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl TryFrom<u32> for Incident {
    type Error = NotAnIncident;
    fn try_from(n: u32) -> Result<Self, NotAnIncident> {
        NonZeroU32::new(n).map(Self).ok_or(NotAnIncident)
    }
}

impl FromStr for Incident {
    type Err = NotAnIncident;
    fn from_str(text: &str) -> Result<Self, NotAnIncident> {
        let digits = text.strip_prefix('#').unwrap_or(text);
        digits.parse::<u32>().map_err(|_| NotAnIncident)?.try_into()
    }
}

impl fmt::Display for Incident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// One cut scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latch {
    /// Its number, from cut to restore.
    pub incident: Incident,
    /// What it closes.
    pub scope: Scope,
    /// When it was cut.
    pub since: Timestamp,
}

/// Every latch that holds, one per scope, in the order of their incidents.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Latch>", into = "Vec<Latch>")]
pub struct LatchSet(Vec<Latch>);

/// More latches, or two for one scope or incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a latch set holds at most {} latches, one per scope, in the order of their incidents",
    LatchSet::MAX
)]
pub struct TooManyLatches;

impl LatchSet {
    /// Bound of one set; past it a cut becomes a cut of everything.
    pub const MAX: usize = 256;

    /// All latches, oldest incident first.
    #[must_use]
    pub fn as_slice(&self) -> &[Latch] {
        &self.0
    }

    /// Whether nothing is cut.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The latch on exactly this scope.
    #[must_use]
    pub fn of(&self, scope: &Scope) -> Option<&Latch> {
        self.0.iter().find(|latch| latch.scope == *scope)
    }

    /// The oldest latch that closes `subject`.
    #[must_use]
    pub fn closing(&self, subject: &Subject<'_>) -> Option<&Latch> {
        self.0.iter().find(|latch| latch.scope.covers(subject))
    }

    /// Adds a latch; its incident must be newer than all others.
    pub fn push(&mut self, latch: Latch) -> Result<(), TooManyLatches> {
        let newer = self
            .0
            .last()
            .is_none_or(|last| last.incident < latch.incident);
        if self.0.len() >= Self::MAX || !newer || self.of(&latch.scope).is_some() {
            return Err(TooManyLatches);
        }
        self.0.push(latch);
        Ok(())
    }

    /// Gives the latch on exactly this scope a later moment, and gives it.
    pub fn cut_again(&mut self, scope: &Scope, now: Timestamp) -> Option<Latch> {
        let latch = self.0.iter_mut().find(|latch| latch.scope == *scope)?;
        latch.since = now.max(latch.since.plus_millis(1));
        Some(latch.clone())
    }

    /// Takes out the latch with this incident. Whoever calls it holds a right to restore.
    pub fn release(&mut self, incident: Incident) -> Option<Latch> {
        let at = self.0.iter().position(|latch| latch.incident == incident)?;
        Some(self.0.remove(at))
    }
}

impl TryFrom<Vec<Latch>> for LatchSet {
    type Error = TooManyLatches;
    fn try_from(latches: Vec<Latch>) -> Result<Self, TooManyLatches> {
        let mut set = Self::default();
        for latch in latches {
            set.push(latch)?;
        }
        Ok(set)
    }
}

impl From<LatchSet> for Vec<Latch> {
    fn from(set: LatchSet) -> Self {
        set.0
    }
}
