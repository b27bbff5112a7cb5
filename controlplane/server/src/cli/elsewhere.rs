//! Commands for a house that runs elsewhere: over its API, as whom the token names.

use super::Command;
use crate::{
    explain, incidents, lever,
    out::{Out, Paint},
    remote::Remote,
};
use anyhow::bail;
use kill_wire::{CutReport, IncidentRecord, StateReport};
use net_model::Explanation;
use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use std::process::ExitCode;

#[derive(Deserialize)]
struct Page<T> {
    items: Vec<T>,
}

/// What of the first page a command shows.
#[derive(Deserialize)]
struct State {
    killswitch: Option<StateReport>,
    problems: Vec<String>,
}

/// Does there what the API does; whatever else is for the machine of the house.
pub(super) fn run(remote: &Remote, command: &Command, json: bool) -> anyhow::Result<ExitCode> {
    match command {
        Command::Status => status(remote, json),
        Command::Incidents { limit } => {
            let page: Page<IncidentRecord> =
                remote.get(&format!("/api/v1/incidents?limit={limit}"))?;
            incidents::show(&page.items, json).map(|()| ExitCode::SUCCESS)
        }
        Command::Explain(args) => {
            let id = args.id.as_str().replace('/', "%2F").replace('+', "%2B");
            let it: Explanation = remote.get(&format!("/api/v1/explain/{id}"))?;
            explain::tell(&it, json)
        }
        Command::Cut { scope, why } => {
            let body = json!({ "scope": scope, "why": why });
            let (_, report): (_, CutReport) = remote.post("/api/v1/cut", &body)?;
            lever::show_cut(&report, json)
        }
        Command::Restore { scope, code_file } => {
            let code = lever::code(scope, code_file.as_deref())?;
            let body = json!({ "scope": scope, "code": code.as_str() });
            let (status, done): (_, Value) = remote.post("/api/v1/restore", &body)?;
            restored(status, &done, json)
        }
        Command::Up { .. }
        | Command::Init
        | Command::Serve { .. }
        | Command::Drill
        | Command::CheckIn
        | Command::Channels
        | Command::Text(_)
        | Command::Codes(_)
        | Command::Journal(_)
        | Command::Spend(_)
        | Command::Prices(_)
        | Command::Capture(_)
        | Command::Import(_)
        | Command::Export(_)
        | Command::Config(_)
        | Command::Hosts(_)
        | Command::Zones
        | Command::Alerts
        | Command::Jobs
        | Command::Mesh { .. }
        | Command::Tokens(_)
        | Command::SignIn => bail!(
            "with --url there are status, incidents, explain, cut and restore; for anything else run it on the machine of the house"
        ),
    }
}

/// Half done is not done: a script must not go on as if it were open.
fn restored(status: StatusCode, done: &Value, json: bool) -> anyhow::Result<ExitCode> {
    let held = status == StatusCode::ACCEPTED;
    let mut out = Out::stdout();
    if json {
        out.json(done)?;
    } else {
        let text = done["text"].as_str().unwrap_or_default();
        let paint = if held { Paint::Yellow } else { Paint::Green };
        out.line(out.paint(paint, text))?;
    }
    Ok(ExitCode::from(u8::from(held)))
}

fn status(remote: &Remote, json: bool) -> anyhow::Result<ExitCode> {
    let mut out = Out::stdout();
    let told: Value = remote.get("/api/v1/state")?;
    if json {
        out.json(&told)?;
        return Ok(ExitCode::SUCCESS);
    }
    let state: State = serde_json::from_value(told)?;
    for problem in &state.problems {
        out.line(out.paint(Paint::Red, problem))?;
    }
    let Some(killswitch) = state.killswitch else {
        return Ok(ExitCode::from(1));
    };
    let latches = killswitch.latches.as_slice();
    if latches.is_empty() {
        out.line(out.paint(Paint::Green, "Nothing is cut."))?;
    }
    for latch in latches {
        let line = format!(
            "CUT {} {} since {}",
            latch.scope, latch.incident, latch.since
        );
        out.line(out.paint(Paint::Red, &line))?;
    }
    for warning in &killswitch.warnings {
        out.line(out.paint(Paint::Yellow, warning))?;
    }
    Ok(ExitCode::SUCCESS)
}
