//! What is wrong: found by rules, numbered, told once, over when it is over.

mod book;
mod facts;
mod rules;

pub(crate) use book::{Book, Key};
pub(crate) use facts::{About, Condition, Models, OF_REPORTS, of_report};
pub use rules::{AlertRules, Rule, RuleSettings, time_zone};
