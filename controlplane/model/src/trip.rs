//! A trip: the gateway has closed something by itself and asks the kill switch to latch it.
//!
//! A trip may cut. Nothing in it can restore.

use kill_wire::{Name, Scope, Timestamp};
use serde::{Deserialize, Serialize};

/// Most characters of a trip's cause.
pub const MAX_CAUSE: usize = 160;

/// What a trip was about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TripKind {
    /// A budget is gone.
    Budget,
    /// Spending far faster than the consumer ever did.
    Spike,
    /// The same prompt again and again, or one that only grows.
    Repeats,
    /// Requests that fail and are sent again at once.
    Errors,
    /// Far more requests at once than the consumer ever had.
    Storm,
}

impl TripKind {
    /// As it stands in logs and metrics, and as the configuration names it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Budget => "budget",
            Self::Spike => "spike",
            Self::Repeats => "repeats",
            Self::Errors => "errors",
            Self::Storm => "storm",
        }
    }
}

/// One trip. The gateway holds the scope closed from `at` on, until the latch that this asks for was restored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trip {
    /// Since when the gateway holds it closed.
    pub at: Timestamp,
    /// Whose exchange made it trip, where it was one consumer's.
    pub consumer: Option<Name>,
    /// What is to be cut.
    pub scope: Scope,
    /// What it was about.
    pub kind: TripKind,
    /// The figures that decided, for the incident: see [`cause`].
    pub cause: String,
}

/// A cause as it may be shown and stored: at most [`MAX_CAUSE`] characters, none that control a terminal.
#[must_use]
pub fn cause(text: &str) -> String {
    shown(text, MAX_CAUSE)
}

/// A text from outside as it may be shown and stored: at most so many characters, none that control a terminal.
#[must_use]
pub fn shown(text: &str, most: usize) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .take(most)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trip_reads_back_as_it_was_written() {
        let trip = Trip {
            at: Timestamp::from_millis(5),
            consumer: Some("claw".parse().unwrap()),
            scope: "claw".parse().unwrap(),
            kind: TripKind::Repeats,
            cause: cause("claw: 41 identical prompts in 12 s"),
        };
        let line = serde_json::to_string(&trip).unwrap();
        assert!(line.contains(r#""kind":"repeats""#), "{line}");
        assert_eq!(serde_json::from_str::<Trip>(&line).unwrap(), trip);
    }

    #[test]
    fn a_cause_is_short_and_harmless() {
        assert_eq!(cause("a\u{1b}[2J"), "a\u{fffd}[2J");
        assert_eq!(cause(&"é".repeat(500)).chars().count(), MAX_CAUSE);
    }
}
