//! Every scope that can be named, and how it stands: open, cut, or closed by a cut of something wider.

use super::text::When;
use askama::Template;
use kill_wire::{Latch, Scope, Standing, StateReport};
use net_model::Snapshot;
use std::collections::BTreeSet;

/// Most rows; what does not fit is open.
const ROWS: usize = 80;

const WIDE: [(Scope, &str); 5] = [
    (Scope::All, "everything governed"),
    (Scope::Llm, "every model route"),
    (Scope::Cloud, "targets outside the house"),
    (Scope::Agents, "all that agents ask for"),
    (Scope::Tools, "every tool route"),
];

#[derive(Debug, Template)]
#[template(path = "parts/scopes.html")]
pub(crate) struct Scopes {
    pub(crate) rows: Vec<Row>,
    /// Open scopes for which there was no row.
    pub(crate) more: usize,
}

#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) scope: String,
    pub(crate) what: &'static str,
    /// Class of its colour, and the word on it.
    pub(crate) tone: &'static str,
    pub(crate) badge: String,
    pub(crate) detail: String,
    pub(crate) since: Option<When>,
    /// Cut by itself, so that it can be restored by this name.
    pub(crate) cut: bool,
}

impl Scopes {
    pub(crate) fn of(snapshot: &Snapshot) -> Self {
        let state = snapshot.killswitch.as_ref().ok();
        let wide = WIDE.iter().map(|(scope, what)| (scope.clone(), *what));
        let named = named(snapshot)
            .into_iter()
            .map(|scope| (scope, "route or consumer"));
        let mut rows: Vec<Row> = wide
            .chain(named)
            .map(|(scope, what)| row(&scope, what, state))
            .collect();
        // Stable: the wide scopes stay first, then what is not open, by name.
        if let Some(names) = rows.get_mut(WIDE.len()..) {
            names.sort_by_key(|row| row.tone == "good");
        }
        let more = rows.len().saturating_sub(ROWS);
        rows.truncate(ROWS);
        Self { rows, more }
    }
}

/// The scopes a restore can name, for the form's list.
#[derive(Debug, Template)]
#[template(path = "parts/cut.html")]
pub(crate) struct CutNow {
    pub(crate) scopes: Vec<String>,
    pub(crate) names: Vec<String>,
}

impl CutNow {
    pub(crate) fn of(snapshot: &Snapshot) -> Self {
        let latched = latches(snapshot).unwrap_or_default();
        let scopes = latched.iter().map(|l| l.scope.to_string()).collect();
        let wide = WIDE.iter().map(|(scope, _)| scope.to_string());
        let named = named(snapshot).into_iter().map(|scope| scope.to_string());
        Self {
            scopes,
            names: wide.chain(named).collect(),
        }
    }
}

fn latches(snapshot: &Snapshot) -> Option<&[Latch]> {
    let state = snapshot.killswitch.as_ref().ok()?;
    Some(state.latches.as_slice())
}

/// Every route and consumer that either side knows, and whatever is cut by name.
fn named(snapshot: &Snapshot) -> BTreeSet<Scope> {
    let mut texts: Vec<&str> = Vec::new();
    if let Ok(state) = &snapshot.killswitch {
        texts.extend(state.names.iter().map(String::as_str));
    }
    if let Ok(gateway) = &snapshot.gateway {
        texts.extend(gateway.names.iter().map(String::as_str));
    }
    let known = texts.into_iter().filter_map(|text| text.parse().ok());
    let latched = latches(snapshot).unwrap_or_default().iter();
    known
        .chain(latched.map(|latch| latch.scope.clone()))
        .filter(|scope| matches!(scope, Scope::Named(_)))
        .collect()
}

fn row(scope: &Scope, what: &'static str, state: Option<&StateReport>) -> Row {
    let mut row = Row {
        scope: scope.to_string(),
        what,
        tone: "unknown",
        badge: "unknown".to_owned(),
        detail: String::new(),
        since: None,
        cut: false,
    };
    let Some(state) = state else {
        return row;
    };
    match state.latches.standing(scope, &state.points) {
        Standing::Cut(own) => {
            row.tone = "cut";
            row.badge = format!("cut {}", own.incident);
            row.since = Some(When::day(own.since));
            row.cut = true;
        }
        Standing::Closed(by) => {
            row.tone = "closed";
            row.badge = "closed".to_owned();
            row.detail = format!("by the cut of {}", names_of(&by));
            row.since = by.first().map(|latch| When::day(latch.since));
        }
        Standing::Partly(by) => {
            row.tone = "warn";
            row.badge = "partly".to_owned();
            row.detail = format!("closed by the cut of {}", names_of(&by));
        }
        Standing::Open => {
            row.tone = "good";
            row.badge = "open".to_owned();
        }
    }
    row
}

/// Cuts by scope and incident.
fn names_of(latches: &[&Latch]) -> String {
    let each = latches
        .iter()
        .map(|latch| format!("{} {}", latch.scope, latch.incident));
    each.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_the_kill_switch_nothing_is_claimed() {
        assert_eq!(row(&Scope::All, "", None).badge, "unknown");
    }
}
