//! Entries of the journal in words.

use super::Drill;
use crate::chronicle::{Entry, Event};
use crate::view::{When, counted, proof};
use kill_wire::{DrillState, Outcome};

/// One entry, for people.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) n: u64,
    pub(crate) at: When,
    pub(crate) tone: &'static str,
    pub(crate) what: String,
    pub(crate) detail: String,
    /// Its incident, where it has one.
    pub(crate) incident: Option<u32>,
}

pub(super) fn drill(drill: &DrillState) -> Drill {
    Drill {
        at: When::day(drill.at),
        by: drill.by.clone(),
        tone: if drill.failed.is_empty() {
            "good"
        } else {
            "warn"
        },
        figures: figures(drill),
        failed: drill.failed.clone(),
    }
}

fn figures(drill: &DrillState) -> String {
    format!(
        "channels {} of {}, agents {} of {}, probes {} of {}",
        drill.channels.0,
        drill.channels.1,
        drill.agents.0,
        drill.agents.1,
        drill.probes.0,
        drill.probes.1
    )
}

/// None for what no page may tell: whoever was forced may be looking at it with the one who forces.
pub(crate) fn step(entry: &Entry) -> Option<Step> {
    let (tone, what, detail, incident) = words(&entry.event)?;
    Some(Step {
        n: entry.n,
        at: When::day(entry.at),
        tone,
        what,
        detail,
        incident,
    })
}

type Words = (&'static str, String, String, Option<u32>);

#[expect(clippy::too_many_lines, reason = "one arm for each kind of entry")]
fn words(event: &Event) -> Option<Words> {
    let plain = |tone, what: &str, detail: String| Some((tone, what.to_owned(), detail, None));
    match event {
        Event::Cut {
            incident,
            scope,
            by,
            via,
            why,
            repeated,
        } => {
            let what = if *repeated {
                format!("Cut again: {scope}")
            } else {
                format!("Cut: {scope}")
            };
            let why = if why.is_empty() {
                String::new()
            } else {
                format!(": {why}")
            };
            Some((
                "cut",
                what,
                format!("by {by} ({via}){why}"),
                Some(incident.get()),
            ))
        }
        Event::PeerCut {
            incident,
            scope,
            peer,
        } => Some((
            "cut",
            format!("Cut: {scope}"),
            format!("told by the kill switch {peer}"),
            Some(incident.get()),
        )),
        Event::Proved {
            incident,
            outcome,
            streams,
            severed_ms,
            proven_ms,
            proof: figures,
        } => {
            let (tone, what) = match outcome {
                Outcome::Cut => ("good", "Proven"),
                Outcome::Partial => ("bad", "Partly: something is still open"),
                Outcome::Unproven => ("warn", "Not proven"),
            };
            let open = if figures.still_open.is_empty() {
                String::new()
            } else {
                format!("; still open: {}", figures.still_open.join(", "))
            };
            let detail = format!(
                "closed within {severed_ms} ms, proven within {proven_ms} ms; {}; {}{open}",
                counted((*streams).into(), "stream ended", "streams ended"),
                proof(figures)
            );
            Some((tone, what.to_owned(), detail, Some(incident.get())))
        }
        Event::Restored {
            incident,
            scope,
            by,
            via,
        } => Some((
            "good",
            format!("Restored: {scope}"),
            format!("by {by} ({via})"),
            Some(incident.get()),
        )),
        Event::PeerRestored {
            incident,
            scope,
            peer,
        } => Some((
            "good",
            format!("Restored: {scope}"),
            format!("by the kill switch {peer}"),
            Some(incident.get()),
        )),
        Event::NotRestored {
            incident,
            scope,
            why,
        } => Some((
            "warn",
            format!("Not restored: {scope}"),
            why.clone(),
            Some(incident.get()),
        )),
        Event::Held {
            incident,
            scope,
            by,
            via,
        } => {
            let detail = format!("{by} ({via}) asked; a second person must agree");
            Some((
                "warn",
                format!("Restore held: {scope}"),
                detail,
                Some(incident.get()),
            ))
        }
        Event::Feigned { .. } => None,
        Event::Started { version, doubts } => {
            let tone = if doubts.is_empty() { "off" } else { "warn" };
            plain(
                tone,
                "Kill switch started",
                format!("version {version} {}", doubts.join("; ")),
            )
        }
        Event::CheckedIn { by, via } => plain("good", "Checked in", format!("{by} ({via})")),
        Event::CheckInDue { warned, told } => plain(
            "warn",
            "Check-in due",
            format!("warning {warned}, {told} told"),
        ),
        Event::Drilled { drill, via } => {
            let tone = if drill.failed.is_empty() {
                "good"
            } else {
                "warn"
            };
            let failed = if drill.failed.is_empty() {
                String::new()
            } else {
                format!("; did not hold: {}", drill.failed.join(", "))
            };
            plain(
                tone,
                "Drill",
                format!("by {} ({via}): {}{failed}", drill.by, figures(drill)),
            )
        }
        Event::Alarm { what } => plain("bad", "Alarm", what.clone()),
        Event::Refused {
            via,
            why,
            unwritten,
        } => {
            let more = if *unwritten > 0 {
                format!(", and {unwritten} more like it")
            } else {
                String::new()
            };
            plain("warn", "Refused", format!("by {via}: {why}{more}"))
        }
        Event::Agent { address, problem } => health("Agent", address, problem.as_deref()),
        Event::Channel { channel, problem } => health("Channel", channel, problem.as_deref()),
        Event::Unlocked => plain("off", "RESTORE unlocked", "at the machine".to_owned()),
        Event::People { count } => plain(
            "off",
            "People and keys read",
            counted((*count).into(), "person", "people"),
        ),
        Event::Other => plain(
            "off",
            "Entry of another version",
            "in the export".to_owned(),
        ),
    }
}

fn health(kind: &str, name: &str, problem: Option<&str>) -> Option<Words> {
    let (tone, text) = problem.map_or(("good", "well again"), |why| ("bad", why));
    Some((tone, format!("{kind} {name}"), text.to_owned(), None))
}
