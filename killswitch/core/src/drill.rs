//! A drill: everything up to the order, and no order.

use crate::people::initials;
use crate::printable::printable;
use kill_wire::Timestamp;

/// Leave to try everything a cut needs. It holds no latch, no incident and no scope, and nothing in this crate makes
/// any of them from it: whoever carries it out cannot cut by it. Making it changes nothing in [`crate::Core`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrillPlan {
    by: String,
    via: String,
    at: Timestamp,
}

impl DrillPlan {
    /// Asked for by somebody, or by the schedule.
    #[must_use]
    pub fn new(by: &str, via: &str, now: Timestamp) -> Self {
        Self {
            by: printable(by, 24),
            via: printable(via, 64),
            at: now,
        }
    }

    /// Who asked.
    #[must_use]
    pub fn by(&self) -> &str {
        &self.by
    }

    /// The same in up to three letters.
    #[must_use]
    pub fn initials(&self) -> String {
        initials(&self.by)
    }

    /// By which channel, or `lever`, or `schedule`.
    #[must_use]
    pub fn via(&self) -> &str {
        &self.via
    }

    /// When it was asked for.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.at
    }
}
