//! What the daemon says of itself: all of it to the lever, little to the network, one segment to a phone.

use crate::clock;
use crate::switch::Switch;
use kill_core::Core;
use kill_inbound::Channel;
use kill_wire::{AgentState, CanaryState, ChannelState, ProbePoint, StateReport, Timestamp};
use serde::Serialize;
use std::collections::BTreeSet;
use std::sync::PoisonError;

/// An agent that has confirmed nothing for this long is called down, in milliseconds.
const SILENT_MS: u64 = 30_000;
/// Canaries older than this are a warning, in milliseconds.
const STALE_MS: u64 = 90_000;

/// Everything one screen shows.
pub(crate) fn state(switch: &Switch) -> StateReport {
    let now = clock::now();
    let agents: Vec<AgentState> = switch.links.iter().map(|link| link.health.get()).collect();
    let (canaries, points) = {
        let known = switch.canaries();
        let points: BTreeSet<ProbePoint> = known
            .worked
            .keys()
            .map(|(_, point)| point.clone())
            .collect();
        (known.state.clone(), points.into_iter().collect())
    };
    let record = switch.recorder.status();
    let channels = switch
        .channels
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    let names = switch
        .names
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .iter()
        .map(ToString::to_string)
        .collect();
    let core = switch.core();
    let memory = core.memory();
    let warnings = warnings(switch, &core, &agents, &canaries, record.problem, now);
    StateReport {
        now,
        started: switch.started,
        latches: memory.latches().clone(),
        seq: memory.seq(),
        agents,
        canaries,
        names,
        points,
        channels: channels
            .iter()
            .map(|channel: &Channel| ChannelState {
                name: channel.name().to_owned(),
                kind: channel.kind().to_owned(),
                trust: format!("{:?}", channel.trust()),
                ..ChannelState::default()
            })
            .collect(),
        people: u32::try_from(core.people().len()).unwrap_or(u32::MAX),
        restore_locked: memory.restore_locked(),
        step_up: memory.step_up(now),
        journal: record.entries,
        warnings,
        ..StateReport::default()
    }
}

/// What someone should look at, in words.
fn warnings(
    switch: &Switch,
    core: &Core,
    agents: &[AgentState],
    canaries: &CanaryState,
    disk: Option<String>,
    now: Timestamp,
) -> Vec<String> {
    let mut warnings = Vec::new();
    if !core.memory().latches().is_empty() {
        warnings.extend(switch.doubts.iter().cloned());
    }
    warnings.extend(disk);
    for AgentState {
        address,
        heard,
        problem,
        ..
    } in agents
    {
        if let Some(problem) = problem {
            warnings.push(format!("agent {address}: {problem}"));
        } else if heard.is_none_or(|heard| now.since(heard) > SILENT_MS) {
            warnings.push(format!(
                "agent {address} has confirmed nothing for {} s",
                SILENT_MS / 1000
            ));
        }
    }
    let CanaryState { points, good, at } = canaries;
    match at {
        None => warnings.push("no probe has run yet: a cut now would be unproven".to_owned()),
        Some(at) if now.since(*at) > STALE_MS => {
            warnings.push("the probes have stopped: a cut now would be unproven".to_owned())
        }
        Some(_) if good < points => warnings.push(format!(
            "{} of {points} probes do not answer as they should",
            points - good
        )),
        Some(_) => {}
    }
    if core.people().is_empty() {
        warnings.push("nobody holds a code: only the lever can cut, nobody can restore".to_owned());
    }
    warnings
}

/// The answer to STATUS.
pub(crate) fn status_text(switch: &Switch) -> String {
    let state = state(switch);
    let well = state
        .agents
        .iter()
        .filter(|agent| agent.problem.is_none())
        .count();
    kill_core::status_reply(
        &state.latches,
        state.canaries.good,
        state.canaries.points,
        u32::try_from(well).unwrap_or(u32::MAX),
        u32::try_from(state.agents.len()).unwrap_or(u32::MAX),
        state.now,
        &state.warnings,
    )
    .as_str()
    .to_owned()
}

/// What anyone who reaches the listener may know: no names, no addresses.
#[derive(Debug, Serialize)]
pub(crate) struct PublicState {
    state: &'static str,
    incidents: Vec<u32>,
    now: Timestamp,
    well: bool,
}

/// For `GET /v1/state`.
pub(crate) fn public_state(switch: &Switch) -> PublicState {
    let state = state(switch);
    PublicState {
        state: if state.latches.is_empty() {
            "open"
        } else {
            "cut"
        },
        incidents: state
            .latches
            .as_slice()
            .iter()
            .map(|latch| latch.incident.get())
            .collect(),
        now: state.now,
        well: state.warnings.is_empty(),
    }
}
