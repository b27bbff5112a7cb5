//! What `portcullis status` says beside scopes and agents: channels, other kill switches, check-in, drill, guessing.

use super::{ago, counted, row};
use crate::config::check::shown;
use crate::incidents::short;
use crate::out::{Out, Paint};
use crate::watch::drilled;
use kill_wire::{CheckInState, StateReport};

pub(super) fn print(out: &mut Out, state: &StateReport) -> std::io::Result<()> {
    channels(out, state)?;
    for (at, peer) in state.peers.iter().enumerate() {
        let heard = peer.heard.map_or_else(
            || "never heard".to_owned(),
            |heard| format!("heard {} ago", ago(state.now, heard)),
        );
        let text = match &peer.problem {
            None => heard,
            Some(problem) => out.paint(Paint::Yellow, &format!("{heard}; {problem}")),
        };
        let name = if at == 0 { "peers" } else { "" };
        row(out, name, &format!("{:<24} {text}", peer.name))?;
    }
    if let Some(check_in) = &state.check_in {
        let text = check_in_line(out, state, check_in);
        row(out, "check-in", &text)?;
    }
    if let Some(drill) = &state.drill {
        let text = format!("{} ({} ago)", drilled(drill), ago(state.now, drill.at));
        let text = match drill.failed.as_slice() {
            [] => text,
            failed => out.paint(
                Paint::Yellow,
                &format!("{text}; did not hold: {}", failed.join(", ")),
            ),
        };
        row(out, "drill", &text)?;
    }
    match &state.guesses {
        Some(bound) => row(out, "guessing", &shown(bound)),
        None => Ok(()),
    }
}

fn channels(out: &mut Out, state: &StateReport) -> std::io::Result<()> {
    for (at, channel) in state.channels.iter().enumerate() {
        let heard = channel.heard.map_or_else(
            || "never heard".to_owned(),
            |heard| format!("heard {} ago", ago(state.now, heard)),
        );
        let text = format!("{}, trust {}, {heard}", channel.kind, channel.trust);
        let text = match &channel.problem {
            None => text,
            Some(problem) => out.paint(Paint::Yellow, &format!("{text}; {problem}")),
        };
        let name = if at == 0 { "channels" } else { "" };
        row(out, name, &format!("{:<24} {text}", channel.name))?;
    }
    Ok(())
}

fn check_in_line(out: &Out, state: &StateReport, check_in: &CheckInState) -> String {
    let due = short(&check_in.due.to_string());
    let then = match &check_in.cuts {
        Some(scope) => format!("a missed one cuts {scope}"),
        None => "a missed one only warns".to_owned(),
    };
    let by = check_in.by.as_deref().unwrap_or("nobody yet");
    let text = format!("due by {due}, last by {by}; {then}");
    if state.now < check_in.due {
        return text;
    }
    let warned = counted(check_in.warned.into(), "warning", "warnings");
    out.paint(Paint::Red, &format!("OVERDUE: {text}; {warned} sent"))
}
