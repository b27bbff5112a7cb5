//! Holds exchanges to budgets and limits: reserve, draw down, settle, each exactly once.
//!
//! # How a budget holds under concurrency without refusing what there is
//!
//! A budget is two sums: what is *spent* and what is *held* for answers under way. An exchange is let in when its
//! prompt (which will be spent at once) and a little more fit into `limit - spent - held`. An answer that flows holds
//! only a small **lease** beyond that: of what is left, 1/64 divided by the answers under way, at most 512 tokens, at
//! least one. Every piece of the
//! answer uses up the lease; when it is used up, what has come is counted as spent and the next lease is taken. Near
//! the end of a budget leases shrink to single tokens, so nothing lies idle in the hands of one exchange while another
//! is refused. When no lease is to be had, the answer is cut off there.
//!
//! So with n answers under way at most one piece of each is spent beyond the limit (a piece is known only when it
//! has come), and nearly all of a budget can be used: what an exchange held and did not need goes back when it ends.
//! What was spent beyond is not forgiven: it is **carried** into the next window as spent there.
//!
//! An answer that comes as a whole cannot be cut off: by the time it is known it is spent. It holds its prompt and the
//! most it may say. Where the client says no most, a usual one is held, or what is left; the one that takes the last of a
//! budget may then go beyond, and that is carried too.
//!
//! An estimate that was too high goes back when the exchange ends, as far as it was counted in the window that is
//! still open; a window that is over stays as it was counted.
//!
//! # Exactly once
//!
//! [`Engine::reserve`] hands out a [`Permit`], which is no copy of anything and is eaten by [`Engine::settle`] or
//! [`Engine::cancel`]. Its holder settles it in its destructor, so that no way of ending leaks a reservation.
//! What was held when a process was killed counts as spent until the window turns ([`Engine::recover`]).
//!
//! # Limits
//!
//! Requests and tokens a minute are buckets that fill steadily (GCRA) and may go below empty: a prompt is drawn when
//! the exchange begins, its answer as it flows, and who comes next waits. A limit never cuts off an answer.

mod bucket;
mod counter;
mod engine;
mod gate;
mod index;
mod kept;
mod permit;
mod refusal;
mod window;

pub use bucket::Rate;
pub use engine::{Engine, Standing};
pub use kept::Kept;
pub use permit::Permit;
pub use refusal::{Frees, Refusal, Why, ceil_secs};
pub use window::{Calendar, UnknownZone};

use kill_wire::{Class, Name, Timestamp};
use net_model::{AtEnd, BudgetUnit as Unit, MicroDollars, Window};
use std::time::Duration;

/// Both clocks: the calendar's for windows, the one that only goes forward for rates.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// The wall clock.
    pub wall: Timestamp,
    /// Since the process began.
    pub since_start: Duration,
}

/// What is asked, as the selectors of rules see it.
#[derive(Clone, Copy, Debug)]
pub struct Exchange<'a> {
    /// Who asks.
    pub consumer: &'a Name,
    /// In which role.
    pub role: Option<&'a Name>,
    /// By which route.
    pub route: &'a Name,
    /// For which model.
    pub model: &'a str,
    /// Of a target of this class.
    pub class: Class,
}

/// Tokens and what they cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// Of prompt and answer.
    pub tokens: u64,
    /// Nothing where it is free or the price is unknown.
    pub money: MicroDollars,
}

impl Amount {
    const fn of(self, unit: Unit) -> u64 {
        match unit {
            Unit::Tokens => self.tokens,
            Unit::Money => self.money.0,
        }
    }

    const fn plus(self, other: Self) -> Self {
        Self {
            tokens: self.tokens.saturating_add(other.tokens),
            money: self.money.plus(other.money),
        }
    }
}

/// Whether it costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cost {
    /// Nothing, as known: no budget of money is about it.
    Free,
    /// What the amounts say.
    Known,
    /// The price is unknown: it counts nothing, but a budget of money that is gone refuses it.
    Unknown,
}

/// What an exchange will come to, as far as can be said before.
#[derive(Clone, Copy, Debug)]
pub struct Need {
    /// The prompt.
    pub prompt: Amount,
    /// The answer.
    pub answer: Answer,
    /// Whether it costs.
    pub cost: Cost,
}

/// How an answer comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Piece by piece: it can be cut off.
    Flows,
    /// As a whole, with at most this, as the client said.
    Whole(Amount),
    /// As a whole, with usually no more than this.
    WholeUsually(Amount),
}

/// A budget is gone: told once in each window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gone {
    /// Which.
    pub budget: Name,
    /// The consumer it is of, where it is of one.
    pub consumer: Option<Name>,
    /// Counted in.
    pub unit: Unit,
    /// Over this window.
    pub window: Window,
    /// What was spent.
    pub spent: u64,
    /// Of so much.
    pub limit: u64,
    /// When the window turns.
    pub until: Timestamp,
    /// What follows.
    pub at_end: AtEnd,
}

impl Gone {
    /// Such as `budget claw-day is gone: 2.53 of 2.50 USD`.
    #[must_use]
    pub fn say(&self) -> String {
        format!(
            "budget {} is gone: {} of {}",
            self.budget,
            self.unit.bare(self.spent),
            self.unit.say(self.limit)
        )
    }
}
