//! One line of the journal, as far as a page says something of it.

use kill_wire::{DrillState, Incident, Outcome, ProofState, Scope, Timestamp};
use serde::Deserialize;

/// One entry.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Entry {
    /// Its number, from 1.
    pub(crate) n: u64,
    pub(crate) at: Timestamp,
    pub(crate) event: Event,
}

impl Entry {
    /// None where the line is no entry: what another version wrote is passed over here and kept in the file.
    pub(crate) fn read(line: &[u8]) -> Option<Self> {
        serde_json::from_slice(line).ok()
    }
}

/// What happened. The words are the kill switch's.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub(crate) enum Event {
    Started {
        version: String,
        doubts: Vec<String>,
    },
    Cut {
        incident: Incident,
        scope: Scope,
        by: String,
        via: String,
        why: String,
        repeated: bool,
    },
    Proved {
        incident: Incident,
        outcome: Outcome,
        streams: u32,
        severed_ms: u64,
        proven_ms: u64,
        proof: ProofState,
    },
    Restored {
        incident: Incident,
        scope: Scope,
        by: String,
        via: String,
    },
    PeerCut {
        incident: Incident,
        scope: Scope,
        peer: String,
    },
    PeerRestored {
        incident: Incident,
        scope: Scope,
        peer: String,
    },
    NotRestored {
        incident: Incident,
        scope: Scope,
        why: String,
    },
    Held {
        incident: Incident,
        scope: Scope,
        by: String,
        via: String,
    },
    Feigned {},
    CheckedIn {
        by: String,
        via: String,
    },
    CheckInDue {
        warned: u32,
        told: u32,
    },
    Drilled {
        drill: DrillState,
        via: String,
    },
    Alarm {
        what: String,
    },
    Refused {
        via: String,
        why: String,
        unwritten: u64,
    },
    Agent {
        address: String,
        problem: Option<String>,
    },
    Channel {
        channel: String,
        problem: Option<String>,
    },
    Unlocked,
    People {
        count: u32,
    },
    #[serde(other)]
    Other,
}
