//! What a cut or a restore brought, in words.

use super::text::{When, counted, proof};
use super::watch::drilled;
use askama::Template;
use kill_wire::{
    CheckInState, CutReport, DrillState, Incident, LatchSet, Outcome as Proven, Scope,
};

/// What a form did, for people.
#[derive(Debug, Template)]
#[template(path = "outcome.html")]
pub(crate) struct Outcome {
    /// Class of its colour: `good`, `warn` or `bad`.
    pub(crate) tone: &'static str,
    pub(crate) title: String,
    pub(crate) lines: Vec<String>,
}

impl Outcome {
    pub(crate) fn good(title: &str, lines: Vec<String>) -> Self {
        Self {
            tone: "good",
            title: title.to_owned(),
            lines,
        }
    }

    pub(crate) fn refused(title: &str, line: impl Into<String>) -> Self {
        Self {
            tone: "bad",
            title: title.to_owned(),
            lines: vec![line.into()],
        }
    }
}

pub(crate) fn cut_outcome(report: &CutReport) -> Outcome {
    let (scope, incident) = (&report.scope, report.incident);
    let (tone, title) = match report.outcome {
        Proven::Cut => (
            "good",
            format!("Cut and proven: {scope}, incident {incident}"),
        ),
        Proven::Partial => ("bad", format!("Cut partial: {scope}, incident {incident}")),
        Proven::Unproven => (
            "warn",
            format!("Cut, not proven: {scope}, incident {incident}"),
        ),
    };
    let mut lines = vec![report.text.clone()];
    if report.repeated {
        lines.push("It was cut already; nothing changed.".to_owned());
    } else {
        let streams = counted(report.streams.into(), "stream", "streams");
        lines.push(format!(
            "{streams} ended. Closed within {} ms, proven within {} ms.",
            report.severed_ms, report.proven_ms
        ));
    }
    lines.push(format!("Proof: {}.", proof(&report.proof)));
    if !report.proof.still_open.is_empty() {
        let open = report.proof.still_open.join(", ");
        lines.push(format!("Still open: {open}."));
    }
    Outcome { tone, title, lines }
}

/// The first of two people asked; nothing is open.
pub(crate) fn held_outcome(text: String) -> Outcome {
    Outcome {
        tone: "warn",
        title: "Held: a second person must agree".to_owned(),
        lines: vec![text, "Nothing is open yet.".to_owned()],
    }
}

pub(crate) fn drill_outcome(drill: &DrillState) -> Outcome {
    let mut lines = vec![format!("A drill {}. Nothing was cut.", drilled(drill))];
    lines.extend(drill.failed.iter().map(|it| format!("Did not hold: {it}.")));
    let (tone, title) = if drill.failed.is_empty() {
        ("good", "The drill held")
    } else {
        ("warn", "The drill did not hold")
    };
    Outcome {
        tone,
        title: title.to_owned(),
        lines,
    }
}

pub(crate) fn check_in_outcome(check_in: Option<&CheckInState>) -> Outcome {
    let line = check_in.map_or_else(
        || "No check-in is asked for; it was noted all the same.".to_owned(),
        |state| format!("The next one is due by {}.", When::day(state.due).people),
    );
    Outcome {
        tone: "good",
        title: "Checked in".to_owned(),
        lines: vec![line],
    }
}

pub(crate) fn restore_outcome(
    scope: &Scope,
    incident: Incident,
    remaining: &LatchSet,
    text: String,
) -> Outcome {
    let left: Vec<String> = remaining
        .as_slice()
        .iter()
        .map(|latch| format!("{} {}", latch.incident, latch.scope))
        .collect();
    let left = if left.is_empty() {
        "Nothing is cut any more.".to_owned()
    } else {
        format!("Still cut: {}.", left.join(", "))
    };
    Outcome {
        tone: "good",
        title: format!("Restored: {scope}, incident {incident} has ended"),
        lines: vec![text, left],
    }
}
