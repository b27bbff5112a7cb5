//! `portcullis config check`.

use super::Config;
use crate::http;
use crate::out::{Out, Paint};
use crate::paths::Home;
use gateway_config::DriverWish;
use gateways::Finding;
use kill_config::Problem;
use kill_wire::{GuessBound, Name};
use net_model::ReloadReport;
use serde_json::{Value, json};
use std::path::Path;
use std::process::ExitCode;

/// What each gateway that is not ours has against a cut.
type Found = Vec<(Name, Vec<Finding>)>;

/// Prints what the configuration says; with problems it prints (in JSON) and returns them. With `drivers` it asks the
/// gateways that are not ours, too.
pub(crate) fn print(
    home: &Home,
    file: Option<&Path>,
    drivers: bool,
    json: bool,
) -> anyhow::Result<()> {
    let mut out = Out::stdout();
    let read = super::read_whole(file, home).and_then(|config| {
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
    let found: Found = match drivers {
        true => http::block_on(async { Ok(gateway_config::findings(&config.drivers).await) })?,
        false => Vec::new(),
    };
    let grave = each(&found).filter(|(_, it)| it.grave).count();
    let sound = || {
        anyhow::ensure!(
            grave == 0,
            "a cut would not work wholly at a gateway of this host: {grave} grave findings"
        );
        Ok(())
    };
    if json {
        let mut value = summary(&config);
        if let Some(fields) = value.as_object_mut() {
            fields.insert("ok".to_owned(), Value::Bool(grave == 0));
            fields.insert("findings".to_owned(), told(&found));
            fields.insert("file".to_owned(), json!(file));
            fields.insert("guesses".to_owned(), json!(bound));
            fields.insert("warnings".to_owned(), listed(&config.warnings));
        }
        out.json(&value)?;
        return sound();
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
    for (name, it) in each(&found) {
        let mark = match it.grave {
            true => out.paint(Paint::Red, "grave  "),
            false => out.paint(Paint::Yellow, "warning"),
        };
        out.line(format_args!("  {mark}  {name}: {}", it.text))?;
    }
    sound()
}

/// What a house that runs elsewhere finds in its own file; exit status 1 with mistakes.
pub(crate) fn show_elsewhere(report: &ReloadReport, json: bool) -> anyhow::Result<ExitCode> {
    let mut out = Out::stdout();
    if json {
        out.json(report)?;
    } else if report.good {
        out.line("The configuration of that house is good.")?;
    } else {
        out.line("The configuration of that house has mistakes; nothing was changed.")?;
    }
    if !json {
        super::reload::findings(&mut out, report)?;
    }
    Ok(ExitCode::from(u8::from(!report.good)))
}

fn each(found: &Found) -> impl Iterator<Item = (&Name, &Finding)> {
    let found = found.iter();
    found.flat_map(|(name, findings)| findings.iter().map(move |it| (name, it)))
}

fn told(found: &Found) -> Value {
    let found = each(found);
    found
        .map(|(name, it)| json!({ "driver": name, "grave": it.grave, "text": it.text }))
        .collect()
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
        "drivers": config.drivers.iter().map(named).collect::<Vec<_>>(),
    })
}

fn named(wish: &DriverWish) -> Value {
    json!({ "name": wish.name, "kind": wish.speaks.kind(), "managed": wish.is_managed() })
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
    for wish in &config.drivers {
        let managed = if wish.is_managed() { ", managed" } else { "" };
        let kind = wish.speaks.kind();
        row("drives", format!("{} ({kind}{managed})", wish.name))?;
    }
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
