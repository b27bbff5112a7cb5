//! What an isolation canary found at one target, as a host reports it.

use crate::ProbeTarget;
use kill_wire::Reached;
use serde::{Deserialize, Serialize};

/// One target, and what the newest tries of it came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CanaryFact {
    /// Where to.
    pub target: ProbeTarget,
    /// True when the host must reach it; false when it must not.
    pub must: bool,
    /// What the newest try found.
    pub found: Reached,
    /// How many tries in a row, the newest last, came to the same [`CanaryVerdict`].
    pub agreed: u32,
    /// Milliseconds since the newest try.
    pub age_ms: u64,
}

/// What a finding means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CanaryVerdict {
    /// As it must be.
    Holds,
    /// Nothing was learnt, which is not the same as [`CanaryVerdict::Holds`].
    Unknown,
    /// What must be reached is not.
    Missing,
    /// What must not be reached is: the isolation is broken.
    Breach,
}

impl CanaryVerdict {
    /// What finding `found` says of a target that must (not) be reached.
    #[must_use]
    pub const fn of(target: &ProbeTarget, must: bool, found: Reached) -> Self {
        match (found, must) {
            (Reached::Open, true) => Self::Holds,
            (Reached::Open, false) => Self::Breach,
            (Reached::Refused, true) => Self::Missing,
            (Reached::Refused, false) => Self::Holds,
            (Reached::Silent, true) if target.silence_tells() => Self::Missing,
            (Reached::Silent, false) => Self::Holds,
            (Reached::Silent | Reached::Unlisted | Reached::Untried, _) => Self::Unknown,
        }
    }
}

impl CanaryFact {
    /// Tries that must agree before anything is made of them: one may have met a moment of the network.
    pub const AGREEING: u32 = 2;

    /// What the newest try says.
    #[must_use]
    pub const fn verdict(&self) -> CanaryVerdict {
        CanaryVerdict::of(&self.target, self.must, self.found)
    }

    /// Whether enough tries agree that something is reached that must not be.
    #[must_use]
    pub fn is_breach(&self) -> bool {
        self.verdict() == CanaryVerdict::Breach && self.agreed >= Self::AGREEING
    }

    /// Whether enough tries agree that something is not reached that must be.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        self.verdict() == CanaryVerdict::Missing && self.agreed >= Self::AGREEING
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_not_be_tried_never_holds() {
        let target: ProbeTarget = "tcp://198.18.10.5:445".parse().unwrap();
        for must in [true, false] {
            for found in [Reached::Untried, Reached::Unlisted] {
                assert_eq!(
                    CanaryVerdict::of(&target, must, found),
                    CanaryVerdict::Unknown
                );
            }
        }
    }

    #[test]
    fn silence_says_nothing_of_a_datagram_that_must_pass() {
        let udp: ProbeTarget = "udp://198.18.10.5:123".parse().unwrap();
        let tcp: ProbeTarget = "tcp://198.18.10.5:123".parse().unwrap();
        let of = |target, must| CanaryVerdict::of(target, must, Reached::Silent);
        assert_eq!(of(&udp, true), CanaryVerdict::Unknown);
        assert_eq!(of(&tcp, true), CanaryVerdict::Missing);
        assert_eq!(of(&udp, false), CanaryVerdict::Holds);
    }

    #[test]
    fn one_try_alone_is_no_breach() {
        let fact = |agreed| CanaryFact {
            target: "tcp://198.18.10.5:445".parse().unwrap(),
            must: false,
            found: Reached::Open,
            agreed,
            age_ms: 0,
        };
        assert!(!fact(1).is_breach());
        assert!(fact(2).is_breach());
    }
}
