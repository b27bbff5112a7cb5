//! What the courier may show of the state, to a home's own panels.

use crate::report;
use crate::switch::Switch;
use kill_wire::{Name, Scope, ToCourier};

/// Most warnings shown; a line has its bound.
const WARNINGS: usize = 50;

/// Every scope a command may name, what of it is latched, and what someone should look at.
pub(crate) fn state(switch: &Switch) -> ToCourier {
    let report = report::state(switch);
    let named = report
        .names
        .iter()
        .filter_map(|name| name.parse::<Name>().ok());
    let mut scopes = vec![
        Scope::All,
        Scope::Llm,
        Scope::Cloud,
        Scope::Agents,
        Scope::Tools,
    ];
    scopes.extend(named.map(Scope::Named));
    let latches = report.latches.as_slice();
    let bounded = |text: String| -> String { text.chars().take(300).collect() };
    ToCourier::State {
        scopes,
        cut: latches.iter().map(|latch| latch.scope.clone()).collect(),
        incidents: latches.iter().map(|latch| latch.incident).collect(),
        warnings: report
            .warnings
            .into_iter()
            .take(WARNINGS)
            .map(bounded)
            .collect(),
    }
}
