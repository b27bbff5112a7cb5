//! What someone should look at, in words.

use crate::alarms;
use crate::switch::Switch;
use kill_core::Core;
use kill_inbound::Replies;
use kill_wire::{AgentState, CanaryState, ChannelState, PeerHealth, Timestamp};

/// An agent that has confirmed nothing for this long is called down, in milliseconds.
const SILENT_MS: u64 = 30_000;
/// Canaries older than this are a warning, in milliseconds.
const STALE_MS: u64 = 90_000;

/// What is known of the parts.
pub(crate) struct Known<'a> {
    pub(crate) agents: &'a [AgentState],
    pub(crate) canaries: &'a CanaryState,
    pub(crate) channels: &'a [ChannelState],
    /// What is wrong with the disk.
    pub(crate) disk: Option<String>,
}

/// All of it, what matters most first.
pub(crate) fn all(switch: &Switch, core: &Core, known: &Known<'_>, now: Timestamp) -> Vec<String> {
    let mut warnings = Vec::new();
    if !core.memory().latches().is_empty() {
        warnings.extend(switch.doubts.iter().cloned());
    }
    warnings.extend(known.disk.clone());
    warnings.extend(switch.troubles.iter().cloned());
    warnings.extend(switch.alarms.all().into_values());
    warnings.extend(alarms::silent(switch, now).into_values());
    agents(known.agents, now, &mut warnings);
    warnings.extend(canaries(known.canaries, now));
    for ChannelState { name, problem, .. } in known.channels {
        warnings.extend(problem.iter().map(|why| format!("channel {name}: {why}")));
    }
    for PeerHealth { name, problem, .. } in switch.peers.health(now) {
        warnings.extend(problem.map(|why| format!("kill switch {name}: {why}")));
    }
    courier(switch, now, &mut warnings);
    if core.people().is_empty() {
        warnings.push("nobody holds a code: only the lever can cut, nobody can restore".to_owned());
    }
    warnings
}

fn agents(agents: &[AgentState], now: Timestamp, warnings: &mut Vec<String>) {
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
}

fn canaries(CanaryState { points, good, at }: &CanaryState, now: Timestamp) -> Option<String> {
    match at {
        None => Some("no probe has run yet: a cut now would be unproven".to_owned()),
        Some(at) if now.since(*at) > STALE_MS => {
            Some("the probes have stopped: a cut now would be unproven".to_owned())
        }
        Some(_) if good < points => Some(format!(
            "{} of {points} probes do not answer as they should",
            points - good
        )),
        Some(_) => None,
    }
}

/// Without its courier the kill switch hears nothing by channels that are asked, and answers nothing by some others.
fn courier(switch: &Switch, now: Timestamp, warnings: &mut Vec<String>) {
    if !switch.outbox.connected() {
        let channels = switch.channels();
        let of = |needs: &dyn Fn(&kill_inbound::Channel) -> bool| -> Vec<String> {
            let needy = channels.iter().filter(|channel| needs(channel));
            needy.map(|channel| channel.name().to_owned()).collect()
        };
        let deaf = of(&|channel| channel.pulled());
        let mute = of(&|channel| !channel.pulled() && channel.replies() == Replies::ByCourier);
        for (what, names) in [
            ("nothing is heard by", deaf),
            ("no reply goes out by", mute),
        ] {
            if !names.is_empty() {
                let names = names.join(", ");
                warnings.push(format!("the courier is not connected: {what} {names}"));
            }
        }
    }
    let late = switch.outbox.waiting_long(now);
    if late > 0 {
        warnings.push(format!("{late} replies wait for the courier"));
    }
}
