//! How reading the configuration again went.

use kill_wire::Timestamp;
use serde::{Deserialize, Serialize};

/// One mistake of a configuration, or something in it to look at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mistake {
    /// The configuration file; `None` for the built-in values.
    pub file: Option<String>,
    /// In which of its lines, counted from 1, where that is known.
    pub line: Option<usize>,
    /// The field, such as `gateway.targets[0].class`; empty when it is about the file as a whole.
    pub field: String,
    /// What is wrong with it.
    pub problem: String,
    /// What to do about it, where that is more than undoing it.
    pub fix: Option<String>,
}

/// How reading the configuration again, or checking it, went.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReloadReport {
    /// When.
    pub at: Timestamp,
    /// What asked for it, such as `SIGHUP` or `file`.
    pub by: String,
    /// Whether the file can be used; a reload has then put it in force. Otherwise everything stays as it was.
    pub good: bool,
    /// Everything that is wrong.
    pub mistakes: Vec<Mistake>,
    /// What works but should be looked at.
    pub warnings: Vec<Mistake>,
    /// Fields that count only from the next start.
    pub needs_restart: Vec<String>,
}
