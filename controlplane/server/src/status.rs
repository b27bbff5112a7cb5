//! `portcullis status`: what is cut, what is open, and what needs a look.

mod house;

use crate::incidents::short;
use crate::out::{Out, Paint};
use crate::paths::{Home, Part};
use crate::{http, lever, run_file};
use kill_wire::{
    Latch, LeverError, LeverReply, LeverRequest, Scope, Standing, StateReport, Timestamp,
};
use net_model::{BreakerState, TargetView};
use serde_json::{Value, json};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// How long a part may take to say that it is well.
const HEALTH_LIMIT: Duration = Duration::from_secs(1);

/// What a part's `/healthz` said.
type Health = Result<Value, String>;

/// Prints the state; exit status 1 when the kill switch cannot be asked, whatever else answers.
pub(crate) fn print(home: &Home, file: Option<&Path>, json: bool) -> anyhow::Result<ExitCode> {
    let state = match lever::ask(home, &LeverRequest::State) {
        Ok(LeverReply::State(state)) => Ok(state),
        Ok(_) => anyhow::bail!("the kill switch answered something else than its state"),
        Err(why) => Err(why),
    };
    let health = |part| health(home, file, part);
    let (gateway, controlplane) = (health(Part::Gateway), health(Part::Controlplane));
    let mut out = Out::stdout();
    if json {
        out.json(&json!({
            "killswitch": state.as_ref().ok(),
            "killswitch_error": state.as_ref().err().map(ToString::to_string),
            "gateway": part_json(&gateway),
            "controlplane": part_json(&controlplane),
        }))?;
    } else {
        people(&mut out, &state, &gateway, &controlplane)?;
    }
    Ok(if state.is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}

fn part_json(health: &Health) -> Value {
    match health {
        Ok(said) => json!({ "ok": true, "health": said }),
        Err(why) => json!({ "ok": false, "error": why }),
    }
}

fn health(home: &Home, file: Option<&Path>, part: Part) -> Health {
    let address = run_file::address(home, file, part).map_err(|why| format!("{why:#}"))?;
    let silent = |why: &anyhow::Error| format!("{address} does not answer: {why:#}");
    let asked = http::block_on(async {
        let url = format!("http://{address}/healthz");
        let answer = http::client(HEALTH_LIMIT)?.get(url).send().await;
        let answer = answer.map_err(|why| match why.is_connect() {
            true => anyhow::anyhow!("nothing listens there"),
            false => why.into(),
        })?;
        let status = answer.status();
        Ok((status, http::body(answer).await?))
    });
    let (status, body) = asked.map_err(|why| silent(&why))?;
    if !status.is_success() {
        return Err(format!("{address} answers HTTP {status}"));
    }
    let text = String::from_utf8_lossy(&body);
    Ok(serde_json::from_slice(&body).unwrap_or_else(|_| Value::String(text.trim().to_owned())))
}

fn people(
    out: &mut Out,
    state: &Result<Box<StateReport>, LeverError>,
    gateway: &Health,
    controlplane: &Health,
) -> std::io::Result<()> {
    match state {
        Ok(state) => {
            kill_switch(out, state)?;
            scopes(out, state)?;
        }
        Err(why) => {
            let text = out.paint(Paint::Red, &why.to_string());
            row(out, "kill switch", &text)?;
            row(
                out,
                "",
                "What was cut stays cut: the node agents hold it, and without a kill switch they open nothing.",
            )?;
            row(
                out,
                "",
                "Start it: `portcullis up`, or `portcullis serve killswitch`.",
            )?;
        }
    }
    for (name, health) in [("gateway", gateway), ("dashboard", controlplane)] {
        let text = match health {
            Ok(said) => answers(said),
            Err(why) => out.paint(Paint::Yellow, why),
        };
        row(out, name, &text)?;
    }
    if let Ok(said) = gateway {
        targets(out, said)?;
    }
    if let Ok(state) = state {
        agents(out, state)?;
        house::print(out, state)?;
        attention(out, state)?;
    }
    Ok(())
}

/// In words, what a part says of itself.
fn answers(said: &Value) -> String {
    let mut text = "answers".to_owned();
    if let Some(word) = said.get("status").and_then(Value::as_str) {
        text.push_str(", ");
        text.push_str(word);
    }
    if let Some(open) = said.get("open").and_then(Value::as_u64) {
        text.push_str(", ");
        text.push_str(&counted(open, "open exchange", "open exchanges"));
    }
    text
}

/// How the gateway's targets fare; a gateway of another version says nothing of them.
fn targets(out: &mut Out, said: &Value) -> std::io::Result<()> {
    let views: Vec<TargetView> = said
        .get("targets")
        .and_then(|views| serde_json::from_value(views.clone()).ok())
        .unwrap_or_default();
    for (at, view) in views.iter().enumerate() {
        let mut text = format!("breaker {}", view.state.as_str());
        if let Some(why) = &view.why {
            let since = short(&view.since.to_string());
            text.push_str(&format!(" since {since}: {why}"));
        }
        let open = counted(view.open.into(), "open exchange", "open exchanges");
        text.push_str(&format!(", {open}"));
        if let Some(health) = &view.health {
            text.push_str(if health.well { ", well" } else { ", unwell" });
        }
        if view.state != BreakerState::Closed {
            text = out.paint(Paint::Yellow, &text);
        }
        let name = if at == 0 { "targets" } else { "" };
        row(out, name, &format!("{:<24} {text}", view.name.as_str()))?;
    }
    Ok(())
}

fn row(out: &mut Out, name: &str, value: &str) -> std::io::Result<()> {
    out.line(format_args!("{name:<12} {value}"))
}

fn kill_switch(out: &mut Out, state: &StateReport) -> std::io::Result<()> {
    let word = if state.latches.is_empty() {
        out.paint(Paint::Green, "nothing is cut")
    } else {
        let cut: Vec<String> = state
            .latches
            .as_slice()
            .iter()
            .map(|l| l.scope.to_string())
            .collect();
        out.paint(Paint::Red, &format!("cut: {}", cut.join(", ")))
    };
    row(out, "kill switch", &word)?;
    let since = short(&state.started.to_string());
    let text = format!(
        "runs since {since}; {}; {}",
        counted(state.people.into(), "person", "people"),
        counted(state.journal, "journal entry", "journal entries"),
    );
    row(out, "", &out.paint(Paint::Dim, &text))
}

fn scopes(out: &mut Out, state: &StateReport) -> std::io::Result<()> {
    let groups = [
        Scope::All,
        Scope::Llm,
        Scope::Cloud,
        Scope::Agents,
        Scope::Tools,
    ];
    let named = state.names.iter().filter_map(|name| name.parse().ok());
    let latched = state
        .latches
        .as_slice()
        .iter()
        .map(|latch| latch.scope.clone());
    let mut scopes: Vec<Scope> = groups.into_iter().chain(named).collect();
    for scope in latched {
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    for (at, scope) in scopes.iter().enumerate() {
        let word = word(out, state, scope);
        let name = if at == 0 { "scopes" } else { "" };
        row(out, name, &format!("{:<24} {word}", scope.to_string()))?;
    }
    Ok(())
}

fn word(out: &Out, state: &StateReport, scope: &Scope) -> String {
    match state.latches.standing(scope, &state.points) {
        Standing::Cut(latch) => {
            let since = short(&latch.since.to_string());
            out.paint(Paint::Red, &format!("CUT {} since {since}", latch.incident))
        }
        Standing::Closed(by) => out.paint(Paint::Red, &format!("closed by {}", named(&by))),
        Standing::Partly(by) => {
            out.paint(Paint::Yellow, &format!("partly closed by {}", named(&by)))
        }
        Standing::Open => out.paint(Paint::Green, "open"),
    }
}

/// Cuts by scope and incident.
fn named(latches: &[&Latch]) -> String {
    let each = latches
        .iter()
        .map(|latch| format!("{} {}", latch.scope, latch.incident));
    each.collect::<Vec<_>>().join(", ")
}

fn agents(out: &mut Out, state: &StateReport) -> std::io::Result<()> {
    for (at, agent) in state.agents.iter().enumerate() {
        let heard = agent.heard.map_or_else(
            || "never heard".to_owned(),
            |heard| format!("heard {} ago", ago(state.now, heard)),
        );
        let text = match &agent.problem {
            None => heard,
            Some(problem) => out.paint(Paint::Yellow, &format!("{heard}; {problem}")),
        };
        let name = if at == 0 { "agents" } else { "" };
        row(out, name, &format!("{:<24} {text}", agent.address))?;
    }
    let probes = &state.canaries;
    let at = probes.at.map_or_else(
        || "not yet".to_owned(),
        |at| format!("{} ago", ago(state.now, at)),
    );
    let text = format!(
        "{} of {} answer as they should ({at})",
        probes.good, probes.points
    );
    row(out, "probes", &text)
}

fn attention(out: &mut Out, state: &StateReport) -> std::io::Result<()> {
    let mut words = state.warnings.clone();
    if state.restore_locked {
        words.push("RESTORE by text is locked after too many wrong codes.".to_owned());
    }
    if state.step_up {
        words.push("Codes were guessed: a KILL by text needs two codes, or a card.".to_owned());
    }
    for (at, word) in words.iter().enumerate() {
        let text = out.paint(Paint::Yellow, word);
        row(out, if at == 0 { "warnings" } else { "" }, &text)?;
    }
    Ok(())
}

fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// How long ago, in the largest unit that says it well.
pub(crate) fn ago(now: Timestamp, then: Timestamp) -> String {
    match now.since(then) / 1000 {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3600),
    }
}
