//! What the daemon says of itself: all of it to the lever, little to the network, one segment to a phone.

use crate::clock;
use crate::switch::Switch;
use crate::warnings;
use kill_core::guesses;
use kill_inbound::Channel;
use kill_wire::{AgentState, ChannelState, LatchSet, ProbePoint, StateReport, Timestamp};
use serde::Serialize;
use std::collections::BTreeSet;
use std::sync::PoisonError;

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
    let names = switch
        .names
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .iter()
        .map(ToString::to_string)
        .collect();
    let core = switch.core();
    let memory = core.memory();
    let channels = channel_states(switch);
    let known = warnings::Known {
        agents: &agents,
        canaries: &canaries,
        channels: &channels,
        disk: record.problem,
    };
    let warnings = warnings::all(switch, &core, &known, now);
    StateReport {
        now,
        started: switch.started,
        latches: memory.latches(),
        seq: memory.seq(),
        agents,
        canaries,
        names,
        points,
        channels,
        guesses: Some(guesses::bound(core.people(), core.rules())),
        check_in: core.check_in_state(now),
        drill: switch.drill().clone(),
        peers: switch.peers.health(now),
        people: u32::try_from(core.people().len()).unwrap_or(u32::MAX),
        restore_locked: core.restore_locked(now),
        step_up: core.step_up(now),
        journal: record.entries,
        warnings,
    }
}

fn channel_states(switch: &Switch) -> Vec<ChannelState> {
    let book = switch.book();
    let channels = switch.channels();
    let state = |channel: &Channel| {
        let page = book.of(channel.name());
        ChannelState {
            name: channel.name().to_owned(),
            kind: channel.kind().to_owned(),
            trust: format!("{:?}", channel.trust()),
            heard: page.heard,
            drilled: page.drilled,
            problem: page.problem(),
        }
    };
    channels.iter().map(state).collect()
}

/// The answer to STATUS, to whom these are told as what is cut.
pub(crate) fn status_text(switch: &Switch, latches: &LatchSet) -> String {
    let state = state(switch);
    let well = state
        .agents
        .iter()
        .filter(|agent| agent.problem.is_none())
        .count();
    kill_core::status_reply(
        latches,
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
