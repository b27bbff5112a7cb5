//! `portcullis incidents`.

use crate::out::{Out, Paint};
use crate::{lever, paths::Home};
use anyhow::bail;
use kill_wire::{IncidentRecord, LeverReply, LeverRequest, ProofState};
use serde_json::json;

/// Prints the newest incidents first.
pub(crate) fn print(home: &Home, limit: u32, json: bool) -> anyhow::Result<()> {
    let LeverReply::Incidents { incidents } = lever::ask(home, &LeverRequest::Incidents { limit })?
    else {
        bail!("the kill switch answered something else than incidents");
    };
    show(&incidents, json)
}

/// The same, wherever they come from.
pub(crate) fn show(incidents: &[IncidentRecord], json: bool) -> anyhow::Result<()> {
    let mut out = Out::stdout();
    if json {
        out.json(&json!({ "incidents": incidents }))?;
        return Ok(());
    }
    if incidents.is_empty() {
        out.line("No incident yet.")?;
    }
    for incident in incidents {
        row(&mut out, incident)?;
    }
    Ok(())
}

fn row(out: &mut Out, it: &IncidentRecord) -> std::io::Result<()> {
    let number = it.incident.to_string();
    let state = match &it.ended {
        None => out.paint(Paint::Red, "still cut"),
        Some(end) => format!("restored {} by {}", short(&end.at.to_string()), end.by),
    };
    out.line(format_args!(
        "{number:>5}  {}  {:<10}  by {}  {state}",
        short(&it.since.to_string()),
        it.scope.to_string(),
        it.by
    ))?;
    let proof = it
        .proof
        .as_ref()
        .map_or_else(|| "no proof recorded".to_owned(), proof);
    let streams = if it.streams == 1 { "stream" } else { "streams" };
    let why = if it.why.is_empty() {
        String::new()
    } else {
        format!("; why: {}", it.why)
    };
    let line = format!("       {} {streams} closed; {proof}{why}", it.streams);
    out.line(out.paint(Paint::Dim, &line))
}

fn proof(proof: &ProofState) -> String {
    let mut text = format!(
        "probes {}/{} dead, routes {}/{} blocked",
        proof.probes_dead, proof.probes, proof.routes_blocked, proof.routes
    );
    if !proof.still_open.is_empty() {
        text.push_str(", still open: ");
        text.push_str(&proof.still_open.join(", "));
    }
    text
}

/// `2026-11-21 14:02:07Z` from RFC 3339 with milliseconds.
pub(crate) fn short(rfc3339: &str) -> String {
    let seconds = rfc3339.split('.').next().unwrap_or(rfc3339);
    format!("{}Z", seconds.replace('T', " "))
}
