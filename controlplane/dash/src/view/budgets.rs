//! How the gateway's budgets stand.

use super::text::When;
use askama::Template;
use net_model::{BudgetView, Snapshot};

/// From so many hundredths on a budget is nearly gone.
const NEARLY: u64 = 80;

#[derive(Debug, Template)]
#[template(path = "parts/budgets.html")]
pub(crate) struct Budgets {
    pub(crate) rows: Vec<Row>,
}

#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) tone: &'static str,
    pub(crate) name: String,
    pub(crate) window: &'static str,
    pub(crate) spent: String,
    pub(crate) limit: String,
    /// Hundredths of it, at most 100: as long as its bar is.
    pub(crate) share: u64,
    pub(crate) state: &'static str,
    pub(crate) frees: When,
}

impl Budgets {
    pub(crate) fn of(snapshot: &Snapshot) -> Self {
        let budgets = snapshot.gateway.as_ref().map(|gateway| &gateway.budgets);
        let rows = budgets.into_iter().flatten().map(row);
        Self {
            rows: rows.collect(),
        }
    }
}

fn row(view: &BudgetView) -> Row {
    let share = u128::from(view.spent) * 100 / u128::from(view.limit.max(1));
    let share = u64::try_from(share).unwrap_or(u64::MAX);
    let (tone, state) = if view.spent >= view.limit {
        ("bad", "gone")
    } else if share >= NEARLY {
        ("warn", "nearly gone")
    } else {
        ("good", "in order")
    };
    Row {
        tone,
        name: view.name.to_string(),
        window: view.window.as_str(),
        spent: view.unit.bare(view.spent),
        limit: view.unit.say(view.limit),
        share: share.min(100),
        state,
        frees: When::day(view.until),
    }
}
