//! What the kill switch and its agents say to each other, in one byte form.
//!
//! No IO, no clock, no randomness: instants, keys and nonces come in as arguments.
//!
//! **Invariant:** bytes become an [`Order`] only through [`Order::open`], which checks the signature first.

mod courier;
mod grant;
mod latch;
mod lever;
mod look;
mod name;
mod order;
mod peer;
mod probe;
mod receipt;
mod scope;
mod seal;
mod standing;
mod time;
mod union;

pub use courier::{FromCourier, MAX_COURIER_LINE, ToCourier};
pub use grant::{CHALLENGE_HEADER, Challenge, Grant, LatchId, NotAChallenge};
pub use latch::{Incident, Latch, LatchSet, NotAnIncident, TooManyLatches};
pub use lever::{
    AgentState, CanaryState, ChannelState, CheckInState, CutReport, DrillState, ErrorCode,
    GuessBound, IncidentEnd, IncidentRecord, LeverError, LeverReply, LeverRequest, Outcome,
    PeerHealth, ProofState, StateReport,
};
pub use look::{LOOKS_PATH, Look, Looked, MAX_LOOK_BYTES, Reached};
pub use name::{Name, NotAName, RESERVED_WORDS};
pub use order::{MAX_ORDER_BYTES, Order, OrderError};
pub use peer::{MAX_PEER_BYTES, PEER_PATH, PeerState, UsedCode, Verb};
pub use probe::{
    Class, HOLD_BEAT, HOLD_HEADER, PROBE_HEADER, PROBE_POINTS_PATH, ProbeAddress, ProbePoint,
    ProbePoints, RouteKind, Subject,
};
pub use receipt::{FenceReceipt, Receipt, Refusal};
pub use scope::{NotAScope, Scope};
pub use standing::Standing;
pub use time::{Step, Timestamp};

/// Signs orders (held by `killswitchd`) and verifies them (held by every agent).
pub use ed25519_dalek::{SigningKey, VerifyingKey};

/// Header that carries the incident number of a cut in every refusal, for people and probes.
pub const INCIDENT_HEADER: &str = "x-portcullis-incident";
