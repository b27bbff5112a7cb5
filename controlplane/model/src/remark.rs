//! A remark: something the gateway noticed and somebody should know of. It cuts nothing and asks for nothing.

use kill_wire::{Name, Timestamp};
use serde::{Deserialize, Serialize};

/// What was noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RemarkKind {
    /// A consumer looks like a runaway; nothing is done about it.
    Alert,
    /// A consumer looks like a runaway, and is slowed down for a while.
    Throttle,
    /// A budget is gone that only says so, or that refuses until its window turns.
    Budget,
}

impl RemarkKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Alert, Self::Throttle, Self::Budget];

    /// As the database names it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Throttle => "throttle",
            Self::Budget => "budget",
        }
    }
}

/// One remark.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remark {
    /// When.
    pub at: Timestamp,
    /// Whose exchange it was about, where it was one consumer's.
    pub consumer: Option<Name>,
    /// What it is about.
    pub kind: RemarkKind,
    /// The figures, in words: see [`crate::cause`].
    pub text: String,
}

/// One target took the place of another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FallbackView {
    /// The first choice.
    pub from: Name,
    /// Who answered in its place.
    pub to: Name,
    /// How often.
    pub times: u64,
    /// The last time.
    pub last: Timestamp,
}
