//! The mesh network beside the walls between zones: who is on it, whose each node is, and how a cut is carried on to it.
//!
//! Two kinds, one interface: Tailscale's own service on this machine ([`LocalApi`]), and a coordination server
//! ([`Control`]): Headscale in both of its forms, or Tailscale's. Nothing here is on the kill path: a cut of the mesh
//! follows a latch, may fail, and is never taken for proof.
//!
//! **Invariant:** nothing here opens what a cut closed. A policy is put back when a person asks for it.

mod control;
mod cut;
#[cfg(fuzzing)]
pub mod fuzzing;
#[cfg(test)]
mod hostile;
mod keeper;
mod kept;
mod local;
mod look;
mod matching;
mod posture;
mod read;
mod whois;

pub use control::{Control, ControlError, ControlKind, ControlSettings, PolicyText};
pub use cut::{CutSettings, affected, carry_out};
pub use keeper::{Keeper, MeshSettings};
pub use kept::KeptPolicy;
pub use local::{Bus, LocalApi, LocalError, Prefs, Status, WhoIs};
pub use look::look;
pub use matching::{KnownHost, Whose, whose};
pub use posture::findings;
pub use read::NotUnderstood;
pub use whois::{Role, Visitor, Whois, WhoisRefusal};
