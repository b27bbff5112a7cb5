//! Commands for a house that runs elsewhere: over its API, as whom the token names.

mod guests;
mod house;
mod keys;

use super::{Command, ConfigCommand, JournalCommand};
use crate::{
    codes::CodesCommand,
    config, explain, incidents, lever,
    mesh::MeshCommand,
    out::{Out, Paint},
    remote::Remote,
    watch,
};
use anyhow::bail;
use kill_wire::{ChannelState, CutReport, DrillState, IncidentRecord, StateReport};
use reqwest::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::process::ExitCode;

#[derive(Deserialize)]
struct Page<T> {
    items: Vec<T>,
    #[serde(default)]
    next: Option<String>,
}

/// What of the first page a command shows.
#[derive(Deserialize)]
struct State {
    killswitch: Option<StateReport>,
    problems: Vec<String>,
}

/// Does there what the API does; whatever else is for the machine of the house.
#[expect(clippy::too_many_lines, reason = "one arm for each command")]
pub(super) fn run(remote: &Remote, command: &Command, json: bool) -> anyhow::Result<ExitCode> {
    let done = |()| ExitCode::SUCCESS;
    match command {
        Command::Status => status(remote, json),
        Command::Incidents { limit } => {
            let page: Page<IncidentRecord> =
                remote.get(&format!("/api/v1/incidents?limit={limit}"))?;
            incidents::show(&page.items, json).map(done)
        }
        Command::Explain(args) => explain::print_elsewhere(remote, args, json),
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
        Command::Drill => {
            let (_, drill): (_, DrillState) = remote.post("/api/v1/drill", &json!({}))?;
            watch::show_drill(&drill, json)
        }
        Command::CheckIn => {
            let (_, told): (_, CheckedIn) = remote.post("/api/v1/check-in", &json!({}))?;
            watch::show_check_in(told.check_in, json).map(done)
        }
        Command::Channels => {
            let page: Page<ChannelState> = remote.get("/api/v1/channels")?;
            watch::show_channels(crate::clock::now(), &page.items, json).map(done)
        }
        Command::Spend(args) => house::spend(remote, args, json).map(done),
        Command::Hosts(command) => guests::run(remote, command, json).map(done),
        Command::Mesh {
            command: None | Some(MeshCommand::List),
        } => house::mesh(remote, json).map(done),
        Command::Codes(CodesCommand::List) => keys::people(remote, json).map(done),
        Command::Zones => house::zones(remote, json).map(done),
        Command::Alerts => house::alerts(remote, json).map(done),
        Command::Jobs => house::jobs(remote, json).map(done),
        Command::Tokens(command) => keys::run(remote, command, json).map(done),
        Command::Journal(JournalCommand::Verify) => verify(remote, json),
        Command::Config(ConfigCommand::Reload) => {
            let (_, report) = remote.said("/api/v1/config/reload")?;
            config::reload::show(&report, json)
        }
        Command::Config(ConfigCommand::Check { drivers: false }) => {
            let (_, report) = remote.said("/api/v1/config/check")?;
            config::check::show_elsewhere(&report, json)
        }
        Command::Config(ConfigCommand::Check { drivers: true }) => {
            bail!("--drivers asks the gateways where their agent runs: run it there, without --url")
        }
        Command::Mesh {
            command: Some(MeshCommand::Release | MeshCommand::Delete { .. }),
        } => bail!(
            "this needs the machine of the house: what a cut did on the mesh is taken back there, by hand"
        ),
        Command::Up { .. }
        | Command::Init
        | Command::Serve { .. }
        | Command::Text(_)
        | Command::Codes(_)
        | Command::Prices(_)
        | Command::Capture(_)
        | Command::Import(_)
        | Command::Export(_)
        | Command::SignIn => bail!(
            "this needs the machine of the house; with --url there are status, incidents, explain, cut, restore, drill, check-in, channels, spend, hosts, zones, alerts, jobs, mesh, tokens, codes list, journal verify, config check and config reload"
        ),
    }
}

#[derive(Deserialize)]
struct CheckedIn {
    check_in: Option<kill_wire::CheckInState>,
}

/// How a journal was found.
#[derive(Deserialize, Serialize)]
struct Checked {
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    entries: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_hash: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    torn_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

fn verify(remote: &Remote, json: bool) -> anyhow::Result<ExitCode> {
    let (_, told): (_, Checked) = remote.post("/api/v1/journal/verify", &json!({}))?;
    let mut out = Out::stdout();
    if json {
        out.json(&told)?;
    } else if told.ok {
        let entries = told.entries.unwrap_or_default();
        let text = format!("{entries} entries, every hash fits.");
        out.line(out.paint(Paint::Green, &text))?;
        let hash = told.last_hash.unwrap_or_default();
        out.line(format_args!("Last hash {hash}"))?;
    }
    if !told.ok {
        let why = told.why.unwrap_or_default();
        bail!("the journal's chain does not hold: {why}");
    }
    Ok(ExitCode::SUCCESS)
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
