//! What the journal tells. Fields are values, never codes, keys, numbers of phones or bodies.

use kill_wire::{DrillState, Incident, Outcome, ProofState, Scope};
use serde::{Deserialize, Serialize};

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Event {
    /// The daemon came up.
    Started {
        /// Its version.
        version: String,
        /// What was found wrong with the state, if anything.
        doubts: Vec<String>,
    },
    /// A scope was cut (ordered before this was written).
    Cut {
        /// Its incident.
        incident: Incident,
        /// What was cut.
        scope: Scope,
        /// Who asked.
        by: String,
        /// By which way.
        via: String,
        /// Why.
        why: String,
        /// It was cut already.
        repeated: bool,
        /// Its code was made before the last restore.
        late: bool,
    },
    /// The proof of a cut.
    Proved {
        /// Its incident.
        incident: Incident,
        /// How it ended.
        outcome: Outcome,
        /// Streams and waiting requests ended.
        streams: u32,
        /// Accepted to severed, milliseconds.
        severed_ms: u64,
        /// Accepted to proven, milliseconds.
        proven_ms: u64,
        /// The figures.
        proof: ProofState,
    },
    /// A scope is about to be restored (written before it is ordered).
    Restored {
        /// The incident that ends.
        incident: Incident,
        /// What opens.
        scope: Scope,
        /// Who asked.
        by: String,
        /// By which way.
        via: String,
    },
    /// Another kill switch of the house cut a scope; it is ordered here, too.
    PeerCut {
        /// Its incident.
        incident: Incident,
        /// What was cut.
        scope: Scope,
        /// Which kill switch.
        peer: String,
    },
    /// Another kill switch restored what is cut here (written before it is released here).
    PeerRestored {
        /// The incident that ends.
        incident: Incident,
        /// What opens.
        scope: Scope,
        /// Which kill switch.
        peer: String,
    },
    /// A restore that the journal may name was not done: the cut stays.
    NotRestored {
        /// Its incident.
        incident: Incident,
        /// What stays cut.
        scope: Scope,
        /// Why.
        why: String,
    },
    /// The first of two people wants a restore; nothing opens yet.
    Held {
        /// The incident it is about.
        incident: Incident,
        /// What would open.
        scope: Scope,
        /// Who asked.
        by: String,
        /// By which way.
        via: String,
    },
    /// A restore under duress: it was answered like a real one and opened nothing.
    Feigned {
        /// What seemed to open.
        scope: Scope,
        /// Who was forced.
        by: String,
        /// By which way.
        via: String,
    },
    /// Somebody said that they are there.
    CheckedIn {
        /// Who.
        by: String,
        /// By which way.
        via: String,
    },
    /// Nobody did, and it was due.
    CheckInDue {
        /// Warnings so far; what follows them is an entry of its own.
        warned: u32,
        /// People there was a way to tell.
        told: u32,
    },
    /// Everything a cut needs was tried but the order.
    Drilled {
        /// What it found.
        drill: DrillState,
        /// By which way it was asked for.
        via: String,
    },
    /// Something needs somebody's eye.
    Alarm {
        /// What.
        what: String,
    },
    /// A signed message was refused.
    Refused {
        /// By which way it came.
        via: String,
        /// Why.
        why: String,
        /// How many like it were left out since the last entry, so that a flood cannot fill the disk.
        unwritten: u64,
    },
    /// An agent stopped confirming orders, or confirms them again.
    Agent {
        /// Its address.
        address: String,
        /// What is wrong; none when it is well.
        problem: Option<String>,
    },
    /// A channel's provider stopped answering the courier, or answers again.
    Channel {
        /// Name of the channel.
        channel: String,
        /// What is wrong; none when it is well.
        problem: Option<String>,
    },
    /// RESTORE codes count again, by someone at the machine.
    Unlocked,
    /// Somebody agreed by a RESTORE code that people change (written before they are).
    Vouched {
        /// Whose code it was.
        by: String,
        /// By which way it came.
        via: String,
        /// What was about to change.
        what: String,
    },
    /// People and keys were read again.
    People {
        /// How many there are.
        count: u32,
    },
}
