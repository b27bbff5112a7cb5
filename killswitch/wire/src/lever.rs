//! The local lever: one JSON line each way over a unix socket only the owner can open.

use crate::latch::{Incident, LatchSet};
use crate::probe::ProbePoint;
use crate::scope::Scope;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// What the lever may ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "lowercase", deny_unknown_fields)]
pub enum LeverRequest {
    /// Cut; whoever can open the socket may, without a code.
    Cut {
        /// What to cut.
        scope: Scope,
        /// Who asks, as the journal shows it (bounded and cleaned by the kill switch).
        by: String,
        /// Why, in the asker's words.
        why: String,
    },
    /// Restore; needs a RESTORE code even here.
    Restore {
        /// Exactly a latched scope.
        scope: Scope,
        /// The code as typed.
        code: String,
        /// Who asks.
        by: String,
    },
    /// Everything one screen shows.
    State,
    /// The newest incidents first.
    Incidents {
        /// At most this many (the daemon bounds it to 500).
        limit: u32,
    },
    /// Read people and keys again.
    Reload,
    /// Somebody who may restore agrees, by a RESTORE code, that the people of the house change. Opens nothing; the code is
    /// spent, everybody is told, and only then may whoever asked change them.
    Vouch {
        /// The code as typed.
        code: String,
        /// Who asks.
        by: String,
        /// What is about to change, for people, such as `ada is added`.
        what: String,
    },
    /// Let RESTORE codes count again after too many failures. Only the CLI at the machine asks this.
    Unlock,
    /// Try everything a cut needs but the order.
    Drill {
        /// Who asks.
        by: String,
    },
    /// Somebody is there.
    CheckIn {
        /// Who.
        by: String,
    },
    /// Tell the people of the house something by text, by the channels they last wrote by. A few a day.
    Tell {
        /// Who says it.
        by: String,
        /// What, for people; made to fit one segment.
        text: String,
    },
}

/// What the lever answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "lowercase")]
pub enum LeverReply {
    /// A cut, done; also when the scope was cut before.
    Cut(CutReport),
    /// A restore, done.
    Restored {
        /// What is open again.
        scope: Scope,
        /// The incident that ended.
        incident: Incident,
        /// What is still cut.
        remaining: LatchSet,
        /// One line for people.
        text: String,
    },
    /// The state of everything.
    State(Box<StateReport>),
    /// Incidents, newest first.
    Incidents {
        /// The records.
        incidents: Vec<IncidentRecord>,
    },
    /// People and keys were read again.
    Reloaded {
        /// How many people there are now.
        people: u32,
    },
    /// The code was good and is spent; it is written down.
    Vouched {
        /// Whose code it was.
        person: String,
    },
    /// RESTORE codes count again.
    Unlocked,
    /// The first of two people who must ask for a restore: nothing is open yet.
    Held {
        /// One line for people; says until when the second may come.
        text: String,
    },
    /// What a drill found.
    Drilled {
        /// All of it.
        drill: DrillState,
    },
    /// Noted.
    CheckedIn {
        /// When the next one is due; none where no check-in is asked for.
        check_in: Option<CheckInState>,
    },
    /// It goes out to so many people; none where nobody has written by a channel that answers.
    Told {
        /// How many people there is a way to.
        people: u32,
    },
    /// Refused, with the reason; nothing was done.
    Refused(LeverError),
}

/// Why the lever did nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct LeverError {
    /// For programs.
    pub code: ErrorCode,
    /// For people; names the fix.
    pub message: String,
}

/// Reasons a program may act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The request was not understood.
    BadRequest,
    /// The code was not accepted.
    BadCode,
    /// That scope is not cut.
    NotCut,
    /// RESTORE is locked after too many failures.
    Locked,
    /// It could not be recorded, so it was not done.
    NotRecorded,
    /// The daemon did not answer in time, or is not there.
    Unavailable,
}

/// How a cut ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Every probe that worked before now fails.
    Cut,
    /// Something is still open, or an agent did not answer.
    Partial,
    /// Ordered and confirmed, but no probe had worked before.
    Unproven,
}

/// Figures of the proof.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofState {
    /// Routes of the scope whose every probe is refused.
    pub routes_blocked: u32,
    /// Routes of the scope.
    pub routes: u32,
    /// Probes that worked before and fail now.
    pub probes_dead: u32,
    /// Probes that worked before.
    pub probes: u32,
    /// Probes that had not worked before, so that they prove nothing.
    pub unproven: u32,
    /// Ways that still answer, by name.
    pub still_open: Vec<String>,
}

/// What a cut did, with its proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CutReport {
    /// What was cut.
    pub scope: Scope,
    /// Its incident.
    pub incident: Incident,
    /// How it ended.
    pub outcome: Outcome,
    /// When it was asked for.
    pub at: Timestamp,
    /// From accepted to ordered and severed, milliseconds.
    pub severed_ms: u64,
    /// From accepted to proven, milliseconds.
    pub proven_ms: u64,
    /// Streams and waiting requests that were ended.
    pub streams: u32,
    /// The proof.
    pub proof: ProofState,
    /// It is written down, here and at every agent. What is not holds as long as the processes run.
    pub recorded: bool,
    /// True when the scope was cut already and nothing changed.
    pub repeated: bool,
    /// Who asked.
    pub by: String,
    /// One GSM-7 segment for people.
    pub text: String,
}

/// Everything one screen shows; no secret in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StateReport {
    /// Clock of the kill switch.
    pub now: Timestamp,
    /// Since when it runs.
    pub started: Timestamp,
    /// What is cut.
    pub latches: LatchSet,
    /// Number of the newest order.
    pub seq: u64,
    /// Every agent, as last heard.
    pub agents: Vec<AgentState>,
    /// The negative control: probes that work now.
    pub canaries: CanaryState,
    /// Routes and consumers a command may name.
    pub names: Vec<String>,
    /// Every way through the gateways, as probes know them.
    pub points: Vec<ProbePoint>,
    /// Channels that may carry a text.
    pub channels: Vec<ChannelState>,
    /// Other kill switches of this house.
    #[serde(default)]
    pub peers: Vec<PeerHealth>,
    /// What guessing is worth, as configured.
    #[serde(default)]
    pub guesses: Option<GuessBound>,
    /// The check-in, where one is asked for.
    #[serde(default)]
    pub check_in: Option<CheckInState>,
    /// The newest drill, if there was one.
    #[serde(default)]
    pub drill: Option<DrillState>,
    /// How many people hold keys.
    pub people: u32,
    /// RESTORE is locked until someone clears it at the machine.
    pub restore_locked: bool,
    /// Guessing was seen: a KILL by text needs two codes or a card.
    pub step_up: bool,
    /// Entries in the journal.
    pub journal: u64,
    /// What someone should look at, in words.
    pub warnings: Vec<String>,
}

/// One way a text may come in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelState {
    /// Its name.
    pub name: String,
    /// Its kind, such as `twilio`.
    pub kind: String,
    /// `A`: body signed and fresh, `B`: body signed, `C`: body not signed, may cut but not restore.
    pub trust: String,
    /// When a message of it was last accepted as genuine.
    pub heard: Option<Timestamp>,
    /// When a drill last came by it.
    pub drilled: Option<Timestamp>,
    /// What is wrong with it.
    pub problem: Option<String>,
}

/// Another kill switch of this house, as last heard.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerHealth {
    /// Its name.
    pub name: String,
    /// When it last spoke.
    pub heard: Option<Timestamp>,
    /// What is wrong with it.
    pub problem: Option<String>,
}

/// What guessing is worth: chances of at least one false acceptance in a year, at the configured limits.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GuessBound {
    /// Of a KILL; 0.01 is 1 %.
    pub kill: f64,
    /// Of a RESTORE.
    pub restore: f64,
}

/// The dead man's switch: when somebody must say that they are there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckInState {
    /// When somebody last did.
    pub last: Option<Timestamp>,
    /// Who.
    pub by: Option<String>,
    /// Until when the next one is due.
    pub due: Timestamp,
    /// Warnings sent since.
    pub warned: u32,
    /// What a missed one cuts; none when it only warns.
    pub cuts: Option<Scope>,
}

/// A drill: everything up to the order, and no order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrillState {
    /// When.
    pub at: Timestamp,
    /// By whom or what.
    pub by: String,
    /// Channels that proved themselves, and all of them.
    pub channels: (u32, u32),
    /// Agents that answered, and all of them.
    pub agents: (u32, u32),
    /// Probes that would prove a cut now, and all of them.
    pub probes: (u32, u32),
    /// What did not hold, by name.
    pub failed: Vec<String>,
}

/// One agent as the kill switch last heard it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentState {
    /// Its address.
    pub address: String,
    /// Number of the order it confirmed last.
    pub seq: Option<u64>,
    /// When it last confirmed one.
    pub heard: Option<Timestamp>,
    /// What is wrong with it.
    pub problem: Option<String>,
}

/// The newest round of canaries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CanaryState {
    /// Probe points.
    pub points: u32,
    /// Of these, how many answered as they should.
    pub good: u32,
    /// When the round ended.
    pub at: Option<Timestamp>,
}

/// One incident for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentRecord {
    /// Its number.
    pub incident: Incident,
    /// What was cut.
    pub scope: Scope,
    /// When.
    pub since: Timestamp,
    /// Who asked, and by which way.
    pub by: String,
    /// Why.
    pub why: String,
    /// Outcome of the newest proof; `None` while it runs, or when the process ended before.
    pub proof: Option<ProofState>,
    /// Streams ended.
    pub streams: u32,
    /// When and by whom it was restored.
    pub ended: Option<IncidentEnd>,
}

/// The end of an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentEnd {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
}
