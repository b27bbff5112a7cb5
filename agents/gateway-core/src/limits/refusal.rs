//! Why an exchange may not begin or go on, in words that name the rule and when it frees.

use kill_wire::{Name, Timestamp};
use net_model::{BudgetUnit as Unit, Window};
use std::{fmt, time::Duration};

/// Asking again soon makes sense where answers under way may give something back.
const SOON: Duration = Duration::from_secs(2);

/// One rule that refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The budget or limit.
    pub name: Name,
    /// What of it.
    pub why: Why,
    /// When to ask again.
    pub frees: Frees,
}

/// What of a rule refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// A budget has too little left.
    Budget {
        /// Counted in.
        unit: Unit,
        /// Over this window.
        window: Window,
        /// The whole of it.
        limit: u64,
        /// Of this, spent.
        spent: u64,
        /// Held for answers under way.
        held: u64,
        /// What the exchange needs at least.
        need: u64,
    },
    /// Too many requests a minute.
    Requests {
        /// So many are allowed.
        most: u64,
    },
    /// Too many tokens a minute.
    Tokens {
        /// So many are allowed.
        most: u64,
    },
    /// Too many exchanges at the same time.
    Open {
        /// So many are allowed.
        most: u32,
    },
}

/// When to ask again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frees {
    /// At this instant, when the window turns.
    At(Timestamp),
    /// After this time.
    After(Duration),
    /// When others end.
    WithOthers,
    /// Not by waiting.
    Never,
}

impl Refusal {
    /// How long until asking again makes sense; `None` when waiting does not help.
    #[must_use]
    pub fn wait(&self, now: Timestamp) -> Option<Duration> {
        match self.frees {
            Frees::At(at) => Some(Duration::from_millis(at.since(now))),
            Frees::After(wait) => Some(wait),
            Frees::WithOthers => Some(SOON),
            Frees::Never => None,
        }
    }

    /// Whether it is a budget, rather than a limit of rate or number.
    #[must_use]
    pub const fn is_budget(&self) -> bool {
        matches!(self.why, Why::Budget { .. })
    }

    /// The later one of two, so that the answer's time is true.
    pub(super) fn later(self, other: Self, now: Timestamp) -> Self {
        let wait = |refusal: &Self| refusal.wait(now).unwrap_or(Duration::MAX);
        if wait(&other) > wait(&self) {
            other
        } else {
            self
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        match &self.why {
            Why::Budget {
                unit,
                window,
                limit,
                spent,
                held,
                need,
            } => {
                let window = window.as_str();
                let (of, used) = (unit.say(*limit), unit.bare(*spent));
                if spent >= limit {
                    write!(
                        f,
                        "The budget `{name}` is gone: {used} of {of} this {window}."
                    )?;
                } else {
                    let (held, need) = (unit.bare(*held), unit.bare(*need));
                    write!(
                        f,
                        "The budget `{name}` has too little left: {used} of {of} spent this {window}, {held} held for answers under way, at least {need} needed."
                    )?;
                }
            }
            Why::Requests { most } => {
                write!(f, "The limit `{name}` allows {most} requests a minute.")?;
            }
            Why::Tokens { most } => {
                write!(f, "The limit `{name}` allows {most} tokens a minute.")?;
            }
            Why::Open { most } => {
                write!(f, "The limit `{name}` allows {most} at the same time.")?;
            }
        }
        match self.frees {
            Frees::At(at) => write!(f, " It frees at {at}."),
            Frees::After(wait) => write!(f, " It frees in {} s.", ceil_secs(wait)),
            Frees::WithOthers => f.write_str(" It frees when another answer ends."),
            Frees::Never => f.write_str(" Waiting does not help: no window has as much."),
        }
    }
}

/// Whole seconds, rounded up.
#[must_use]
pub fn ceil_secs(span: Duration) -> u64 {
    span.as_secs() + u64::from(span.subsec_nanos() > 0)
}
