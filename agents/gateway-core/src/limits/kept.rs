//! What budgets keep over a restart, and what a restart makes of it.

use super::{counter::Counter, window::Calendar};
use kill_wire::{Name, Timestamp};
use net_model::{BudgetUnit as Unit, Selector, Window};
use serde::{Deserialize, Serialize};

/// One counter, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The budget.
    pub budget: Name,
    /// Which of its amounts.
    pub unit: Unit,
    /// Its window.
    pub window: Window,
    /// What it counts, in words: another selection is another budget.
    pub of: String,
    /// When that window turns.
    pub until: Timestamp,
    /// What was spent in it.
    pub spent: u64,
    /// What was held for answers under way.
    pub held: u64,
    /// That it is gone had been said.
    pub said: bool,
}

impl Kept {
    pub(super) fn of(counter: &Counter) -> Self {
        Self {
            budget: counter.name.clone(),
            unit: counter.unit,
            window: counter.window,
            of: words(&counter.of),
            until: counter.until,
            spent: counter.spent,
            held: counter.held,
            said: counter.said,
        }
    }

    /// Goes on where the last run stopped. Nobody can say how far the answers went that were under way when a run
    /// breaks off: what was held for them counts as spent.
    pub(super) fn recover(&self, counter: &mut Counter, calendar: &Calendar, now: Timestamp) {
        let spent = self.spent.saturating_add(self.held);
        counter.spent = counter.spent.saturating_add(spent);
        counter.said = self.said;
        counter.until = self.until;
        counter.turn(calendar, now);
    }

    pub(super) fn is_of(&self, counter: &Counter) -> bool {
        self.budget == counter.name
            && self.unit == counter.unit
            && self.window == counter.window
            && self.of == words(&counter.of)
    }
}

fn words(of: &Selector) -> String {
    let name = |name: &Option<Name>| name.as_ref().map(ToString::to_string);
    let parts = [
        ("consumer", name(&of.consumer)),
        ("role", name(&of.role)),
        ("route", name(&of.route)),
        ("model", of.model.as_ref().map(|it| it.as_str().to_owned())),
        ("class", of.class.map(|it| format!("{it:?}").to_lowercase())),
    ];
    let said: Vec<String> = parts
        .into_iter()
        .filter_map(|(key, value)| Some(format!("{key}={}", value?)))
        .collect();
    said.join(" ")
}
