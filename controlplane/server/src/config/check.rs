//! `portcullis config check`.

use super::Config;
use crate::out::{Out, Paint};
use crate::paths::Home;
use kill_config::Problem;
use kill_wire::GuessBound;
use serde_json::{Value, json};
use std::path::Path;

/// Prints what the configuration says; with problems it prints (in JSON) and returns them.
pub(crate) fn print(home: &Home, file: Option<&Path>, json: bool) -> anyhow::Result<()> {
    let mut out = Out::stdout();
    let read = super::read(file).and_then(|config| {
        let bound = super::guess_bound(&config, home)?;
        Ok((config, bound))
    });
    let (config, bound) = match read {
        Ok(read) => read,
        Err(bad) => {
            if json {
                out.json(&json!({ "ok": false, "file": file, "problems": listed(&bad.problems) }))?;
            }
            // Exit status 64 is for a start that cannot happen; this check was done, and found something.
            return Err(anyhow::anyhow!("{bad}"));
        }
    };
    if json {
        let mut value = summary(&config);
        if let Some(fields) = value.as_object_mut() {
            fields.insert("ok".to_owned(), Value::Bool(true));
            fields.insert("file".to_owned(), json!(file));
            fields.insert("guesses".to_owned(), json!(bound));
            fields.insert("warnings".to_owned(), listed(&config.warnings));
        }
        out.json(&value)?;
        return Ok(());
    }
    match file {
        Some(file) => out.line(format_args!("{} is good.", file.display()))?,
        None => out.line("There is no configuration file; the built-in values hold.")?,
    }
    people(&mut out, &config)?;
    if let Some(bound) = bound {
        out.line(format_args!("  {:<13} {}", "guessing", shown(&bound)))?;
    }
    for warning in &config.warnings {
        let mark = out.paint(Paint::Yellow, "warning");
        out.line(format_args!("  {mark}  {warning}"))?;
    }
    Ok(())
}

fn listed(problems: &[Problem]) -> Value {
    problems
        .iter()
        .map(|problem| json!({ "key": problem.key, "text": problem.text }))
        .collect()
}

fn channels(config: &Config) -> Vec<&str> {
    let all = config.killswitch.channels.iter();
    all.map(|wish| wish.courier.name.as_str()).collect()
}

fn summary(config: &Config) -> Value {
    let (targets, routes, consumers) = config.gateway.counts();
    let channels = channels(config);
    json!({
        "controlplane": config.controlplane,
        "over_mesh": config.over_mesh,
        "killswitch": config.killswitch.listen,
        "gateway": config.gateway.listen,
        "agent": config.agent.listen,
        "channels": channels,
        "agents": config.killswitch.agents,
        "targets": targets,
        "routes": routes,
        "consumers": consumers,
    })
}

fn people(out: &mut Out, config: &Config) -> std::io::Result<()> {
    let (targets, routes, consumers) = config.gateway.counts();
    let mut row = |name: &str, text: String| out.line(format_args!("  {name:<13} {text}"));
    row("controlplane", config.controlplane.to_string())?;
    if let Some(at) = config.over_mesh {
        row("over the mesh", at.to_string())?;
    }
    let channels = channels(config);
    let channels = match channels.as_slice() {
        [] => "channel local".to_owned(),
        names => format!("channels local, {}", names.join(", ")),
    };
    row(
        "killswitch",
        format!("{}, {channels}", config.killswitch.listen),
    )?;
    row("agent", config.agent.listen.to_string())?;
    let counts = if targets == 0 {
        "built-in target and route".to_owned()
    } else {
        format!("{targets} targets, {routes} routes, {consumers} consumers (0: built in)")
    };
    row("gateway", format!("{}, {counts}", config.gateway.listen))
}

/// What guessing is worth, in words.
pub(crate) fn shown(bound: &GuessBound) -> String {
    format!(
        "at most {:.2} % a year for a KILL, {:.1e} for a RESTORE",
        bound.kill * 100.0,
        bound.restore
    )
}
