//! `portcullis drill`, `check-in` and `channels`: whether a text would still get through, and whether somebody is there.

use crate::incidents::short;
use crate::lever::{ask, whoami};
use crate::out::{Out, Paint};
use crate::paths::Home;
use crate::status::ago;
use anyhow::bail;
use kill_wire::{ChannelState, CheckInState, DrillState, LeverReply, LeverRequest, Timestamp};
use serde_json::json;
use std::process::ExitCode;

/// Holds a drill; exit status 1 when something did not hold.
pub(crate) fn drill(home: &Home, json: bool) -> anyhow::Result<ExitCode> {
    let LeverReply::Drilled { drill } = ask(home, &LeverRequest::Drill { by: whoami() })? else {
        bail!("the kill switch answered something else than a drill; run `portcullis status`");
    };
    show_drill(&drill, json)
}

/// Prints a drill, whoever held it.
pub(crate) fn show_drill(drill: &DrillState, json: bool) -> anyhow::Result<ExitCode> {
    let mut out = Out::stdout();
    if json {
        out.json(drill)?;
    } else {
        let held = drill.failed.is_empty();
        let paint = if held { Paint::Green } else { Paint::Yellow };
        out.line(out.paint(paint, &drilled(drill)))?;
        for failed in &drill.failed {
            out.line(format_args!("  did not hold: {failed}"))?;
        }
        out.line("Nothing was cut.")?;
    }
    Ok(ExitCode::from(u8::from(!drill.failed.is_empty())))
}

/// A drill in one line.
pub(crate) fn drilled(drill: &DrillState) -> String {
    let of = |(good, all): (u32, u32)| format!("{good} of {all}");
    format!(
        "drill by {}: channels {}, agents {}, probes {}",
        drill.by,
        of(drill.channels),
        of(drill.agents),
        of(drill.probes)
    )
}

/// Says that somebody is there.
pub(crate) fn check_in(home: &Home, json: bool) -> anyhow::Result<()> {
    let LeverReply::CheckedIn { check_in } = ask(home, &LeverRequest::CheckIn { by: whoami() })?
    else {
        bail!("the kill switch answered something else than a check-in; run `portcullis status`");
    };
    show_check_in(check_in, json)
}

/// Prints when the next check-in is due.
pub(crate) fn show_check_in(check_in: Option<CheckInState>, json: bool) -> anyhow::Result<()> {
    let mut out = Out::stdout();
    if json {
        out.json(&json!({ "check_in": check_in }))?;
    } else if let Some(state) = check_in {
        let due = short(&state.due.to_string());
        out.line(format_args!("Checked in. The next one is due by {due}."))?;
    } else {
        out.line(
            "Noted. No check-in is asked for: the configuration has no [killswitch.check_in].",
        )?;
    }
    Ok(())
}

/// Lists the ways a text may come in.
pub(crate) fn channels(home: &Home, json: bool) -> anyhow::Result<()> {
    let LeverReply::State(state) = ask(home, &LeverRequest::State)? else {
        bail!("the kill switch answered something else than its state");
    };
    show_channels(state.now, &state.channels, json)
}

/// Prints them as they stood at `now`.
pub(crate) fn show_channels(
    now: Timestamp,
    channels: &[ChannelState],
    json: bool,
) -> anyhow::Result<()> {
    let mut out = Out::stdout();
    if json {
        out.json(&json!({ "channels": channels }))?;
        return Ok(());
    }
    let head = format!(
        "{:<16}  {:<18}  {:<5}  {:<11}  {:<11}  problem",
        "name", "kind", "trust", "heard", "drilled"
    );
    out.line(out.paint(Paint::Bold, &head))?;
    for channel in channels {
        out.line(row(&out, now, channel))?;
    }
    let foot = "Trust: A signed and fresh, B signed, C not signed whole: a text of C may cut, not restore.";
    out.line(out.paint(Paint::Dim, foot))?;
    Ok(())
}

fn row(out: &Out, now: Timestamp, channel: &ChannelState) -> String {
    let when = |then: Option<Timestamp>| {
        then.map_or_else(
            || "never".to_owned(),
            |then| format!("{} ago", ago(now, then)),
        )
    };
    let ChannelState {
        name, kind, trust, ..
    } = channel;
    let (heard, drilled) = (when(channel.heard), when(channel.drilled));
    let problem = match &channel.problem {
        Some(problem) => out.paint(Paint::Yellow, problem),
        None => "-".to_owned(),
    };
    format!("{name:<16}  {kind:<18}  {trust:<5}  {heard:<11}  {drilled:<11}  {problem}")
}
