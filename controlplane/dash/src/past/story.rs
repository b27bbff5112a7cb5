//! One incident from message to proof.

use super::said::{Step, step};
use crate::chronicle::{Entry, Event};

/// Width of the picture in its own units.
const WIDTH: u64 = 600;

pub(super) fn steps(entries: &[Entry]) -> Vec<Step> {
    entries.iter().filter_map(step).collect()
}

/// How long it took, as two lengths of one line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Bars {
    pub(super) severed_ms: u64,
    pub(super) proven_ms: u64,
    /// Where closing ends on the line.
    pub(super) severed: u64,
}

/// Of the first proof: a later one repeats it after a restart.
pub(super) fn bars(entries: &[Entry]) -> Option<Bars> {
    entries.iter().find_map(|entry| {
        let Event::Proved {
            severed_ms,
            proven_ms,
            ..
        } = entry.event
        else {
            return None;
        };
        let most = proven_ms.max(severed_ms).max(1);
        let severed = u128::from(severed_ms) * u128::from(WIDTH) / u128::from(most);
        Some(Bars {
            severed_ms,
            proven_ms,
            severed: u64::try_from(severed).unwrap_or(WIDTH).max(2),
        })
    })
}
