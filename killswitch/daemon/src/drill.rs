//! A drill: everything a cut needs is looked at, and nothing is ordered. What carries it out holds a [`DrillPlan`], which
//! has no latch and no way to one.

use crate::canary;
use crate::clock;
use crate::direct;
use crate::event::Event;
use crate::recorder::First;
use crate::restore;
use crate::self_call;
use crate::switch::Switch;
use crate::tell;
use kill_core::DrillPlan;
use kill_inbound::Channel;
use kill_wire::{AgentState, DrillState, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// An agent that confirmed an order this long ago would take the next one, in milliseconds.
const FRESH_MS: u64 = 30_000;
/// Failures that are kept.
const MAX_FAILED: usize = 50;
/// Between two looks at the schedule.
const LOOK: Duration = Duration::from_secs(30);

/// Looks at channels, agents, probes and the disk; journals what it found.
pub(crate) async fn run(switch: &Arc<Switch>, plan: &DrillPlan) -> DrillState {
    let channels_now = switch.channels();
    if channels_now
        .iter()
        .any(|channel| channel.name() == plan.via())
    {
        switch.book().drilled(plan.via(), plan.at());
    }
    self_call::all(switch).await;
    canary::round(switch).await;
    let mut drill = DrillState {
        at: plan.at(),
        by: plan.by().to_owned(),
        ..DrillState::default()
    };
    channels(switch, &mut drill);
    agents(switch, &mut drill);
    probes(switch, &mut drill);
    drill.failed.truncate(MAX_FAILED);
    let event = Event::Drilled {
        drill: drill.clone(),
        via: plan.via().to_owned(),
    };
    if let Err(why) = restore::written(switch.record(vec![event], First::Latch)).await {
        drill.failed.insert(0, format!("disk: {why}"));
    }
    tracing::info!(
        by = plan.by(),
        via = plan.via(),
        failed = drill.failed.len(),
        "Drilled."
    );
    *switch.drill() = Some(drill.clone());
    drill
}

/// Drills by the schedule until shutdown, and tells everybody what came of it.
pub(crate) async fn by_schedule(switch: Arc<Switch>) {
    let Some(every) = switch.wishes.drill_every else {
        return;
    };
    let every = u64::try_from(every.as_millis()).unwrap_or(u64::MAX);
    loop {
        let last = switch.drill().as_ref().map(|drill| drill.at);
        let now = clock::now();
        // A first start drills once it has run for as long.
        if now.since(last.unwrap_or(switch.started)) >= every {
            let plan = DrillPlan::new("schedule", "schedule", now);
            let drill = run(&switch, &plan).await;
            tell::everyone(&switch, kill_core::drill_reply(&drill).as_str());
        }
        tokio::select! {
            () = switch.stop.cancelled() => return,
            () = sleep(LOOK) => {}
        }
    }
}

fn channels(switch: &Switch, drill: &mut DrillState) {
    let now = clock::now();
    for channel in switch.channels().iter() {
        drill.channels.1 += 1;
        match shown(switch, channel, now) {
            Ok(()) => drill.channels.0 += 1,
            Err(why) => drill.failed.push(format!("{}: {why}", channel.name())),
        }
    }
}

/// Whether something shows that a text would come in by it.
pub(crate) fn shown(switch: &Switch, channel: &Channel, now: Timestamp) -> Result<(), String> {
    let page = switch.book().of(channel.name());
    if let Some(problem) = page.problem() {
        return Err(problem);
    }
    if channel.pulled() {
        // Its provider answered the courier within the last minutes; whether a text gets to the provider is its own story.
        return match switch.outbox.connected() {
            true => Ok(()),
            false => Err("the courier is not connected".to_owned()),
        };
    }
    let silent = switch.wishes.silent_after_ms();
    match page.heard.max(page.drilled).max(page.own) {
        None => Err("never heard: send DRILL or STATUS by it once".to_owned()),
        Some(at) if now.since(at) > silent => Err(format!(
            "nothing heard for {} days: send DRILL or STATUS by it",
            now.since(at) / 86_400_000
        )),
        Some(_) => Ok(()),
    }
}

fn agents(switch: &Switch, drill: &mut DrillState) {
    let now = clock::now();
    for link in &switch.links {
        drill.agents.1 += 1;
        let AgentState {
            address,
            heard,
            problem,
            ..
        } = link.health.get();
        match (problem, heard) {
            (None, Some(heard)) if now.since(heard) <= FRESH_MS => drill.agents.0 += 1,
            (None, _) => drill.failed.push(format!("agent {address} is silent")),
            (Some(why), _) => drill.failed.push(format!("agent {address}: {why}")),
        }
    }
}

fn probes(switch: &Switch, drill: &mut DrillState) {
    let latches = switch.latches();
    for ((_, point), worked) in &switch.canaries().worked {
        drill.probes.1 += 1;
        // What is cut now worked before, or would not be known to.
        if *worked {
            drill.probes.0 += 1;
        } else if latches.closing(&point.subject()).is_none() {
            drill.failed.push(format!(
                "{} for {} to {}",
                point.route, point.consumer, point.target
            ));
        }
    }
    for (name, known) in direct::known(switch) {
        drill.probes.1 += 1;
        if known {
            drill.probes.0 += 1;
        } else {
            drill
                .failed
                .push(format!("direct {name}: its host did not look"));
        }
    }
    if drill.probes.1 == 0 && !switch.vantages.is_empty() {
        drill
            .failed
            .push("no way is known that a probe could take".to_owned());
    }
}
