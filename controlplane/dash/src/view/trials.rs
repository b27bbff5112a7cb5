//! What may be tested by a button, each with what its last test found.

use super::{Outcome, When};
use crate::caller::Caller;
use askama::Template;
use net_model::DashRole;

/// All of a kind.
#[derive(Debug, Template)]
#[template(path = "parts/trials.html")]
pub(crate) struct Trials {
    /// What they are, over their names.
    of: &'static str,
    /// Over the buttons.
    ask: &'static str,
    /// The page they stand on.
    page: &'static str,
    rows: Vec<Trial>,
    may: bool,
}

/// One of them.
#[derive(Debug)]
pub(crate) struct Trial {
    pub(crate) name: String,
    /// In what colour, in words, and when; none since this start.
    pub(crate) last: Option<(&'static str, String, When)>,
}

/// What a test found, and every row as it stands now.
#[derive(Debug, Template)]
#[template(path = "parts/tried.html")]
pub(crate) struct Tried {
    pub(crate) outcome: Outcome,
    pub(crate) trials: Trials,
}

impl Trials {
    /// For somebody who may press the buttons, or may not.
    pub(crate) fn new(
        (of, ask, page): (&'static str, &'static str, &'static str),
        rows: Vec<Trial>,
        caller: &Caller,
    ) -> Self {
        Self {
            of,
            ask,
            page,
            rows,
            may: caller.role() >= DashRole::Operator,
        }
    }

    /// Whether there is anything to test.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}
