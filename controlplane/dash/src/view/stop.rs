//! What the page with the red button shows, out of the kill switch's own words: what is cut, and the proof as it comes.

use super::text::{When, counted, proof};
use askama::Template;
use kill_wire::{IncidentRecord, StateReport};

/// Proofs that are shown; the others stand in the list of incidents.
const PROOFS: usize = 3;

type Said = Result<(StateReport, Vec<IncidentRecord>), String>;

#[derive(Debug, Template)]
#[template(path = "stop/now.html")]
pub(crate) struct Now {
    pub(crate) tone: &'static str,
    pub(crate) title: String,
    pub(crate) line: String,
}

impl Now {
    pub(crate) fn of(said: &Said) -> Self {
        let (state, _) = match said {
            Ok(said) => said,
            Err(why) => {
                return Self {
                    tone: "bad",
                    title: "Unknown".to_owned(),
                    line: format!("The kill switch does not answer: {why}"),
                };
            }
        };
        let latches = state.latches.as_slice();
        let cut: Vec<String> = latches.iter().map(|it| it.scope.to_string()).collect();
        let (tone, title, line) = if cut.is_empty() {
            let canaries = &state.canaries;
            let line = format!(
                "{} of {} probes work, so a cut can be proven.",
                canaries.good, canaries.points
            );
            let line = if canaries.points == 0 {
                "No probe point is known, so a cut could not be proven.".to_owned()
            } else {
                line
            };
            ("good", "Open".to_owned(), line)
        } else {
            let incidents = latches.iter().map(|it| it.incident.to_string());
            let line = format!(
                "{}. Stays so until a person restores it with a code.",
                incidents.collect::<Vec<_>>().join(", ")
            );
            ("cut", format!("Cut: {}", cut.join(", ")), line)
        };
        Self { tone, title, line }
    }
}

#[derive(Debug, Template)]
#[template(path = "stop/proofs.html")]
pub(crate) struct Proofs {
    pub(crate) rows: Vec<Row>,
}

#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) number: String,
    pub(crate) scope: String,
    pub(crate) since: When,
    pub(crate) tone: &'static str,
    /// What was found after, beside how many worked before; none while the probes still run.
    pub(crate) proof: Option<String>,
    pub(crate) streams: String,
    pub(crate) still_open: String,
    pub(crate) ended: Option<When>,
}

impl Proofs {
    pub(crate) fn of(said: &Said) -> Self {
        let incidents = said.as_ref().map(|(_, incidents)| incidents);
        let newest = incidents.into_iter().flatten().take(PROOFS);
        Self {
            rows: newest.map(row).collect(),
        }
    }
}

fn row(record: &IncidentRecord) -> Row {
    let (tone, still_open) = match &record.proof {
        None => ("warn", String::new()),
        Some(proof) if !proof.still_open.is_empty() => ("bad", proof.still_open.join(", ")),
        Some(proof) if proof.probes == 0 => ("warn", String::new()),
        Some(_) => ("good", String::new()),
    };
    Row {
        number: record.incident.to_string(),
        scope: record.scope.to_string(),
        since: When::clock(record.since),
        tone,
        proof: record.proof.as_ref().map(|it| {
            format!(
                "{} worked before, {} refused now; {}",
                counted(it.probes.into(), "probe", "probes"),
                it.probes_dead,
                proof(it)
            )
        }),
        streams: counted(record.streams.into(), "stream closed", "streams closed"),
        still_open,
        ended: record.ended.as_ref().map(|end| When::clock(end.at)),
    }
}
