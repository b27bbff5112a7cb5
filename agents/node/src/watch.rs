//! Looks at every gateway twice a second and tells it again where it differs, oftener where one cannot be reached; looks at
//! the lease.

use crate::clock;
use crate::hand::{Hand, Reach};
use crate::tell::{tell, tell_all};
use gateways::Gateway as _;
use kill_wire::{Latch, LatchSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

const EVERY: Duration = Duration::from_millis(500);
/// While a gateway does not follow. One that starts anew serves nobody until it has been told.
const SOON: Duration = Duration::from_millis(100);

/// One task for the lease and one for each gateway, so that a gateway that hangs delays nothing else.
pub(crate) fn start(hand: &Arc<Hand>, stop: &CancellationToken) {
    let lease = Arc::clone(hand);
    let until = stop.clone();
    hand.tasks()
        .spawn(async move { until.run_until_cancelled(watch_lease(&lease)).await });
    for reach in &hand.reaches {
        let (hand, reach, until) = (Arc::clone(hand), Arc::clone(reach), stop.clone());
        let tasks = hand.tasks().clone();
        tasks.spawn(async move {
            until
                .run_until_cancelled(watch_gateway(&hand, &reach))
                .await
        });
    }
}

async fn watch_lease(hand: &Arc<Hand>) {
    let mut was_silent = true;
    let mut held = LatchSet::default();
    let mut ticks = ticks();
    loop {
        ticks.tick().await;
        let (step, silent, latches) = {
            let mut core = hand.core();
            let step = core.on_tick(clock::up());
            (step, core.silent(), core.overlay().latches.clone())
        };
        if latches != held {
            let cut: Vec<String> = latches.as_slice().iter().map(named).collect();
            tracing::info!(?cut, "What is cut has changed.");
            held = latches;
        }
        if let Some(step) = step {
            let paused = !step.overlay.paused.is_empty();
            let told = tell_all(hand).await;
            tracing::warn!(paused, severed = told.cut.severed, failed = ?told.failed, "The lease has lapsed.");
        } else if silent && !was_silent {
            tracing::warn!("The lease has lapsed; what was in force is held.");
        } else if was_silent && !silent {
            tracing::info!("The kill switch speaks: the lease runs.");
        }
        was_silent = silent;
    }
}

async fn watch_gateway(hand: &Arc<Hand>, reach: &Reach) {
    let mut trouble = None;
    loop {
        let now = look(hand, reach).await.err();
        if now != trouble {
            match &now {
                Some(why) => tracing::warn!(gateway = reach.name, why, "Gateway does not follow."),
                None => tracing::info!(gateway = reach.name, "Gateway follows again."),
            }
            trouble = now;
        }
        reach.seen().follows = trouble.is_none();
        let rest = if trouble.is_some() { SOON } else { EVERY };
        // Whoever changed something there has it looked at at once; nothing is done when the time is over.
        drop(tokio::time::timeout(rest, reach.nudge.notified()).await);
    }
}

/// Compares and tells again; an error is a sentence.
async fn look(hand: &Arc<Hand>, reach: &Reach) -> Result<(), String> {
    let observed = reach
        .driver
        .observe()
        .await
        .map_err(|error| error.to_string())?;
    {
        let mut seen = reach.seen();
        seen.notices.clone_from(&observed.notices);
        seen.said.clone_from(&observed.targets);
    }
    let step = hand.core().on_observed(&reach.name, &observed);
    let Some(step) = step else { return Ok(()) };
    let told = tell(hand, reach).await;
    tracing::info!(
        gateway = reach.name,
        seq = step.overlay.seq,
        before = observed.seq,
        severed = told.cut.severed,
        "Gateway told again."
    );
    told.failed.into_iter().next().map_or(Ok(()), Err)
}

fn named(latch: &Latch) -> String {
    format!("{} {}", latch.incident, latch.scope)
}

fn ticks() -> tokio::time::Interval {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
