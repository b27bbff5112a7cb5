//! Decides about cuts and restores: codes, latches, ordering, throttle. Events and `now` in,
//! decisions out. No IO, no clock, no randomness.
//!
//! **Invariants.** A valid unused KILL code cuts, whatever else the text says. A KILL code cannot
//! restore. Nothing but a committed [`RestoreSeal`] takes a latch away, and no time passing does.

mod budget;
mod cards;
mod check_in;
mod core;
mod decision;
mod drill;
mod duress;
pub mod guesses;
mod guessing;
mod halves;
mod house;
mod inbound_text;
mod key;
mod keyring;
mod kill;
mod late;
mod lever;
mod memory;
mod notices;
mod orders;
mod outcomes;
mod peers;
mod people;
mod printable;
mod quorum;
mod reply;
mod rest;
mod restore;
mod rules;
mod scan;
mod segment;
mod senders;
mod shown;
mod spelled;
mod stepped_up;
mod vote;

pub use crate::core::Core;
pub use cards::{Card, CardHash};
pub use check_in::CheckInStep;
pub use decision::{
    CheckedIn, Cut, Decision, Feigned, Held, Opening, Refused, Released, Restore, RestoreSeal, Why,
};
pub use drill::DrillPlan;
pub use inbound_text::{InboundText, Trust};
pub use key::{Digits, Key};
pub use memory::{Memory, NotAMemory};
pub use notices::{check_in_warning, drill_reply, people_change};
pub use peers::Heard;
pub use people::{People, PeopleError, Person, PersonName};
pub use reply::{cut_reply, status_reply};
pub use restore::NotVouched;
pub use rules::{CheckInRule, Restorable, Rules, RulesError, Then};
pub use segment::Reply;
