//! What was decided: for the daemon to carry out, never carried out here.

use crate::drill::DrillPlan;
use crate::people::PersonName;
use crate::segment::Reply;
use kill_wire::{Incident, Latch, LatchId, LatchSet, Scope, Timestamp};
use std::fmt;

/// What a text comes to.
#[derive(Debug)]
pub enum Decision {
    /// It cuts: act first, write down after.
    Cut(Cut),
    /// It may restore: write down first, then [`crate::Core::commit`].
    Restore(Restore),
    /// The first of two people wants a restore: nothing is done but to remember it. Write the memory down.
    Held(Held),
    /// A restore under duress: nothing is done, and nothing about the answer may show it.
    Feigned(Feigned),
    /// Somebody says that they are there. Write the memory down.
    CheckedIn(CheckedIn),
    /// Somebody wants a drill: try everything but the order, then [`crate::Core::remember`] the report.
    Drill(DrillPlan),
    /// A registered sender, or somebody with a check-in code, asks how things are.
    Status {
        /// Who asks.
        by: String,
        /// What they are told is cut: all of it, except after a restore of theirs under duress.
        latches: LatchSet,
    },
    /// Nothing is done.
    Refused(Refused),
    /// The same message or code again: nothing is done, the first answer is given again.
    Duplicate {
        /// The first answer, if there was one and it is still known.
        reply: Option<Reply>,
    },
}

/// A cut that holds from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The latch that holds.
    pub latch: Latch,
    /// True when the scope was cut already: same incident, nothing new.
    pub repeated: bool,
    /// Who asked, by name.
    pub by: String,
    /// Who asked, in up to three letters.
    pub initials: String,
    /// By which channel, or `lever`.
    pub via: String,
    /// Why, in a few words.
    pub why: String,
    /// True when the code is older than a RESTORE that came before it. It cuts all the same.
    pub late: bool,
    /// True when the text also asked to restore, which was refused.
    pub restore_refused: bool,
}

/// What a good RESTORE code comes to at the lever.
#[derive(Debug)]
pub enum Opening {
    /// It may restore: write down first, then [`crate::Core::commit`].
    Now(Restore),
    /// It was the first of two people.
    Held(Held),
    /// It was a duress code.
    Feigned(Feigned),
}

/// A restore that waits for a second person. The code is spent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// What to answer.
    pub reply: Reply,
    /// Whose code it was.
    pub by: String,
    /// The same in up to three letters.
    pub initials: String,
    /// By which channel, or `lever` and who asked there.
    pub via: String,
    /// The latch it is about.
    pub latch: Latch,
    /// Until when the second person may come.
    pub until: Timestamp,
}

/// A restore that only seems done. The code is spent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feigned {
    /// What to answer: as after a real one, and as late.
    pub reply: Reply,
    /// Whose code it was.
    pub by: String,
    /// By which channel, or `lever` and who asked there.
    pub via: String,
    /// What they seemed to restore; it stays cut.
    pub scope: Scope,
    /// Who is told, by their registered senders.
    pub alert: Vec<PersonName>,
    /// What they are told.
    pub warning: Reply,
}

/// Somebody is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedIn {
    /// What to answer.
    pub reply: Reply,
    /// Who.
    pub by: String,
    /// The same in up to three letters.
    pub initials: String,
    /// By which channel, or `lever`.
    pub via: String,
    /// When the next one is due, if the rules ask for one.
    pub next: Option<Timestamp>,
}

/// A restore that was allowed but not yet done.
#[derive(Debug)]
pub struct Restore {
    /// The right to release the latch, once.
    pub seal: RestoreSeal,
    /// The latch it would release.
    pub latch: Latch,
    /// Every incident it would end: that of the latch, and what else closes the same scope.
    pub incidents: Vec<Incident>,
    /// Whose code it was.
    pub by: String,
    /// The same in up to three letters.
    pub initials: String,
    /// By which channel, or `lever` and who asked there.
    pub via: String,
}

/// The right to release the latches of one scope. Cannot be copied; only this crate makes one.
#[derive(Debug)]
pub struct RestoreSeal {
    pub(crate) latch: Latch,
    pub(crate) latches: Vec<LatchId>,
    pub(crate) incidents: Vec<Incident>,
    pub(crate) person: crate::PersonName,
    pub(crate) step: kill_wire::Step,
    /// The core's when it was made: a later cut or seal makes it void.
    pub(crate) epoch: u64,
    pub(crate) outcome: u16,
}

/// A restore that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Released {
    /// The latch the restore was about.
    pub latch: Latch,
    /// Every incident it ended.
    pub incidents: Vec<Incident>,
    /// What is still cut.
    pub remaining: LatchSet,
    /// One line for people.
    pub text: Reply,
    /// True when a cut or another restore came between: nothing was released, the latch is in `remaining`.
    pub overtaken: bool,
}

/// Nothing was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Why.
    pub why: Why,
    /// What to answer; `None` unless a code was valid or the sender is registered.
    pub reply: Option<Reply>,
}

/// Why nothing was done. Never says which part of a code was right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// There is nothing in it that could be a code.
    NoCode,
    /// No code in it is good.
    NotAccepted,
    /// Guessing was seen: the same, right or wrong.
    StepUp,
    /// A RESTORE code from before the last KILL.
    TooOld,
    /// No scope, or more than one.
    NoScope,
    /// That scope is not cut.
    NotCut(Scope),
    /// RESTORE is locked.
    Locked,
    /// This channel's texts are not signed; it may not restore.
    Untrusted,
    /// The rules let no text restore this scope.
    NotByText(Scope),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCode => f.write_str("no code found. KILL or RESTORE needs a code"),
            Self::NotAccepted => f.write_str(
                "no code accepted. Send the newest one; for KILL also two codes in one text, or a card",
            ),
            Self::StepUp => {
                f.write_str("too many wrong codes today. KILL with two codes in one text, or a card")
            }
            Self::TooOld => f.write_str(
                "this code is not newer than the last KILL. Send one from a minute after it",
            ),
            Self::NoScope => f.write_str("RESTORE needs exactly one scope"),
            Self::NotCut(scope) => write!(f, "{scope} is not cut"),
            Self::Locked => {
                f.write_str("RESTORE is locked after too many wrong codes; unlock it at the machine")
            }
            Self::Untrusted => f.write_str("this channel cannot restore"),
            Self::NotByText(scope) => write!(
                f,
                "{scope} is not restored by text. Use the dashboard, or portcullis restore"
            ),
        }
    }
}
