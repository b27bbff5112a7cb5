//! What an order permits. Nothing of it closes anything: a cut does not need it.
//!
//! A grant is a duration, not an instant: the agent measures it on its own clock, from the moment it gave the challenge
//! that the order answers. An order that answers none of an agent's challenges permits that agent nothing, however late
//! or early the clocks of either host stand.

use crate::latch::{Incident, Latch};
use crate::time::Timestamp;
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::iter::Peekable;
use std::str::{FromStr, Lines};

/// Header of every answer to an order that carries the agent's newest [`Challenge`].
pub const CHALLENGE_HEADER: &str = "x-portcullis-challenge";

/// A number an agent drew by chance and told to nobody before. An order that repeats it was signed after that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Challenge(pub u64);

/// A text that is not a [`Challenge`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a challenge is 16 hexadecimal digits")]
pub struct NotAChallenge;

impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0.to_be_bytes()))
    }
}

impl FromStr for Challenge {
    type Err = NotAChallenge;
    fn from_str(text: &str) -> Result<Self, NotAChallenge> {
        let raw = HEXLOWER
            .decode(text.as_bytes())
            .map_err(|_| NotAChallenge)?;
        let raw = raw.try_into().map_err(|_| NotAChallenge)?;
        Ok(Self(u64::from_be_bytes(raw)))
    }
}

/// One latch as it was cut last. A scope that is cut again while it is cut gets another moment, so that a restore
/// which did not see that cut does not release it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LatchId {
    /// Its number.
    pub incident: Incident,
    /// When it was cut last.
    pub since: Timestamp,
}

impl Latch {
    /// What a restore names it by.
    #[must_use]
    pub const fn id(&self) -> LatchId {
        LatchId {
            incident: self.incident,
            since: self.since,
        }
    }
}

/// What an order permits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grant {
    /// How long silence is permission, in milliseconds since the answered challenge was given.
    pub lease_ms: u64,
    /// The newest challenge of every agent that was heard, at most [`Grant::MOST_ANSWERS`].
    pub answers: Vec<Challenge>,
    /// Latches, of any kill switch of this house, that were restored; the newest [`Grant::MOST_RELEASED`].
    pub released: Vec<LatchId>,
}

impl Grant {
    /// Most agents one order answers.
    pub const MOST_ANSWERS: usize = 256;
    /// Most restored latches one order names. An older one that comes back holds again.
    pub const MOST_RELEASED: usize = 128;

    /// Reads its lines and leaves the rest.
    pub(crate) fn parse(lines: &mut Peekable<Lines<'_>>) -> Option<Self> {
        let lease_ms = lines.next()?.strip_prefix("lease ")?.parse().ok()?;
        let mut answers = Vec::new();
        while let Some(answer) = lines.peek().and_then(|line| line.strip_prefix("answer ")) {
            answers.push(answer.parse().ok()?);
            lines.next();
        }
        let mut released = Vec::new();
        while let Some(latch) = lines.peek().and_then(|line| line.strip_prefix("released ")) {
            let (incident, since) = latch.split_once(' ')?;
            released.push(LatchId {
                incident: incident.parse().ok()?,
                since: Timestamp::from_millis(since.parse().ok()?),
            });
            lines.next();
        }
        let bounded = answers.len() <= Self::MOST_ANSWERS && released.len() <= Self::MOST_RELEASED;
        bounded.then_some(Self {
            lease_ms,
            answers,
            released,
        })
    }
}

/// Its lines, as they stand in an order.
impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "lease {}", self.lease_ms)?;
        for answer in &self.answers {
            writeln!(f, "answer {answer}")?;
        }
        for LatchId { incident, since } in &self.released {
            writeln!(f, "released {} {}", incident.get(), since.millis())?;
        }
        Ok(())
    }
}
