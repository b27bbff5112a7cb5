//! Every scope that can be named, and how it stands: open, cut, or closed by a cut of something wider.

use super::text::When;
use askama::Template;
use kill_wire::{Latch, Scope};
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
        let latches = latches(snapshot);
        let wide = WIDE.iter().map(|(scope, what)| (scope.clone(), *what));
        let named = named(snapshot)
            .into_iter()
            .map(|scope| (scope, "route or consumer"));
        let mut rows: Vec<Row> = wide
            .chain(named)
            .map(|(scope, what)| row(&scope, what, latches))
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

fn row(scope: &Scope, what: &'static str, latches: Option<&[Latch]>) -> Row {
    let mut row = Row {
        scope: scope.to_string(),
        what,
        tone: "unknown",
        badge: "unknown".to_owned(),
        detail: String::new(),
        since: None,
        cut: false,
    };
    let Some(latches) = latches else {
        return row;
    };
    if let Some(own) = latches.iter().find(|latch| latch.scope == *scope) {
        row.tone = "cut";
        row.badge = format!("cut {}", own.incident);
        row.since = Some(When::day(own.since));
        row.cut = true;
    } else if let Some(wider) = latches.iter().find(|latch| closes(&latch.scope, scope)) {
        row.tone = "closed";
        row.badge = "closed".to_owned();
        row.detail = format!("by the wider cut {} {}", wider.incident, wider.scope);
        row.since = Some(When::day(wider.since));
    } else {
        let parts: Vec<String> = latches.iter().filter_map(|l| touches(l, scope)).collect();
        if parts.is_empty() {
            row.tone = "good";
            row.badge = "open".to_owned();
        } else {
            row.tone = "warn";
            row.badge = "partly".to_owned();
            row.detail = parts.join("; ");
        }
    }
    row
}

/// Whether a cut of `latch` leaves nothing of `scope` open. Every call through a gateway comes from an agent.
fn closes(latch: &Scope, scope: &Scope) -> bool {
    match latch {
        Scope::All => true,
        Scope::Agents => *scope != Scope::All,
        Scope::Llm | Scope::Cloud | Scope::Tools | Scope::Named(_) => false,
    }
}

/// What a cut that does not close all of `scope` closes of it.
fn touches(latch: &Latch, scope: &Scope) -> Option<String> {
    let Latch {
        incident,
        scope: cut,
        ..
    } = latch;
    let what = match (cut, scope) {
        (_, Scope::All) | (Scope::Named(_), Scope::Llm | Scope::Agents) => cut.to_string(),
        (Scope::Llm, Scope::Cloud | Scope::Agents | Scope::Named(_)) => "model calls".to_owned(),
        (Scope::Cloud, Scope::Llm | Scope::Agents | Scope::Tools | Scope::Named(_)) => {
            "cloud targets".to_owned()
        }
        (Scope::Tools, Scope::Cloud | Scope::Agents | Scope::Named(_)) => "tool calls".to_owned(),
        _ => return None,
    };
    Some(format!("{what} closed by {incident}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use kill_wire::{Incident, Timestamp};

    fn cut(scope: &str) -> Vec<Latch> {
        vec![Latch {
            incident: Incident::FIRST,
            scope: scope.parse().unwrap(),
            since: Timestamp::default(),
        }]
    }

    fn badge(cut_scope: &str, scope: &str) -> String {
        let latches = cut(cut_scope);
        row(&scope.parse().unwrap(), "", Some(&latches)).badge
    }

    #[test]
    fn nothing_that_a_cut_touches_is_called_open() {
        for scope in ["ALL", "LLM", "CLOUD", "AGENTS", "TOOLS", "chat"] {
            for (scope_, _) in &WIDE {
                let seen = badge(scope, &scope_.to_string());
                let apart = ["LLM TOOLS", "TOOLS LLM", "chat CLOUD", "chat TOOLS"];
                let pair = format!("{scope} {scope_}");
                assert_eq!(
                    seen == "open",
                    apart.contains(&pair.as_str()),
                    "{pair}: {seen}"
                );
            }
            assert_ne!(badge(scope, "chat"), "open", "{scope}");
        }
        assert_eq!(badge("chat", "claw"), "open");
    }

    #[test]
    fn a_wider_cut_closes_and_names_its_incident() {
        let latches = cut("ALL");
        let row = row(&Scope::Llm, "", Some(&latches));
        assert_eq!(
            (row.tone, row.detail.as_str()),
            ("closed", "by the wider cut #1 ALL")
        );
        assert!(!row.cut, "it cannot be restored by this name");
    }

    #[test]
    fn without_the_kill_switch_nothing_is_claimed() {
        assert_eq!(row(&Scope::All, "", None).badge, "unknown");
    }
}
