//! What governs spending: budgets, limits, and what counts as a runaway. Wishes as the configuration states them.

use crate::{money::MicroDollars, table::ModelPattern};
use kill_wire::{Class, Name, Scope};
use serde::{Deserialize, Serialize};

/// Which exchanges a rule is about: those that agree with everything it names. Naming nothing means all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    /// Of this consumer.
    pub consumer: Option<Name>,
    /// Of any consumer with this role, together.
    pub role: Option<Name>,
    /// By this route.
    pub route: Option<Name>,
    /// For these models.
    pub model: Option<ModelPattern>,
    /// To targets of this class.
    pub class: Option<Class>,
}

/// Spans that a budget counts in; they begin at the turn of the clock and calendar, in the zone of the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Window {
    /// A minute.
    Minute,
    /// An hour.
    Hour,
    /// A day, from midnight.
    Day,
    /// A calendar month.
    Month,
}

impl Window {
    /// All of them, as the configuration names them.
    pub const ALL: [(&'static str, Self); 4] = [
        ("minute", Self::Minute),
        ("hour", Self::Hour),
        ("day", Self::Day),
        ("month", Self::Month),
    ];

    /// As the configuration names it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(_, window)| *window == self)
            .map_or("", |(name, _)| name)
    }
}

/// What happens when a budget is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AtEnd {
    /// New requests are refused and running answers are cut off, until the next window.
    Hard,
    /// It is said, nothing is refused.
    Soft,
    /// The scope is cut: it stays so until a person restores it.
    Trip(Scope),
}

/// How much may be spent in a window. At least one of the two amounts is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Its name, as answers and incidents say it.
    pub name: Name,
    /// What counts.
    pub of: Selector,
    /// Over which span.
    pub window: Window,
    /// Tokens of prompts and answers.
    pub tokens: Option<u64>,
    /// Money. What has no known price counts nothing here; a class may be closed to it.
    pub money: Option<MicroDollars>,
    /// What then.
    pub at_end: AtEnd,
}

/// How fast and how much at once. At least one of the three is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Its name, as answers say it.
    pub name: Name,
    /// What counts.
    pub of: Selector,
    /// Requests a minute; as many may come at once.
    pub requests_per_minute: Option<u32>,
    /// Tokens a minute; as many may come at once.
    pub tokens_per_minute: Option<u64>,
    /// Exchanges open at the same time.
    pub open: Option<u32>,
}

/// What is done about a runaway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reaction {
    /// It is not looked for.
    Off,
    /// It is said.
    Alert,
    /// The consumer is slowed down: one request at a time, and these with a pause between.
    Throttle,
    /// The consumer is cut: it stays so until a person restores it.
    Trip,
}

impl Reaction {
    /// All of them, as the configuration names them.
    pub const ALL: [(&'static str, Self); 4] = [
        ("off", Self::Off),
        ("alert", Self::Alert),
        ("throttle", Self::Throttle),
        ("trip", Self::Trip),
    ];

    /// As the configuration names it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(_, reaction)| *reaction == self)
            .map_or("", |(name, _)| name)
    }
}

/// What counts as a runaway, and what is done about each kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunawayRules {
    /// Spending far faster than this consumer ever did.
    pub spike: Reaction,
    /// The same prompt again and again, or one that only grows.
    pub repeats: Reaction,
    /// Requests that fail and are sent again at once.
    pub errors: Reaction,
    /// Far more requests at once than this consumer ever had.
    pub storm: Reaction,
}

impl RunawayRules {
    /// What is done, whatever the kind.
    #[must_use]
    pub const fn reactions(&self) -> [Reaction; 4] {
        [self.spike, self.repeats, self.errors, self.storm]
    }
}

impl Default for RunawayRules {
    /// Everything is said, nothing is done: a new house has no history to judge by.
    fn default() -> Self {
        Self {
            spike: Reaction::Alert,
            repeats: Reaction::Alert,
            errors: Reaction::Alert,
            storm: Reaction::Alert,
        }
    }
}

/// All rules of one gateway.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Budgets, in the order of the configuration.
    pub budgets: Vec<Budget>,
    /// Limits, in the order of the configuration.
    pub limits: Vec<Limit>,
    /// Runaways.
    pub runaway: RunawayRules,
    /// IANA name of the time zone in which days and hours count, such as `Europe/Berlin`; `UTC` when not given.
    pub time_zone: Option<String>,
}
