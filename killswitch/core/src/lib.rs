//! Decides about cuts and restores: codes, latches, ordering, throttle. Events and `now` in,
//! decisions out. No IO, no clock, no randomness.
//!
//! **Invariants.** A valid unused KILL code cuts, whatever else the text says. A KILL code cannot
//! restore. Nothing but a committed [`RestoreSeal`] takes a latch away, and no time passing does.

mod cards;
mod core;
mod decision;
mod halves;
mod house;
mod inbound_text;
mod key;
mod keyring;
mod kill;
mod lever;
mod memory;
mod orders;
mod outcomes;
mod people;
mod reply;
mod rest;
mod restore;
mod scan;
mod segment;
mod shown;
mod stepped_up;

pub use crate::core::Core;
pub use cards::{Card, CardHash};
pub use decision::{Cut, Decision, Refused, Released, Restore, RestoreSeal, Why};
pub use inbound_text::{InboundText, Trust};
pub use key::{Digits, Key};
pub use memory::{Memory, NotAMemory};
pub use people::{People, PeopleError, Person, PersonName};
pub use reply::{cut_reply, status_reply};
pub use segment::Reply;
