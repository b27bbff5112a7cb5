//! Keeps the routes of gateways that are not ours as they are wanted, and decides which target each route leads to.
//!
//! **Invariant:** on a thread of its own and never in the hand's way: it takes no turn, so that an order waits for nothing
//! here. Nothing is written to a gateway that has not been seen to hold the overlay; what is written lies beneath it. After
//! each writing, and after each change of what is closed, it is decided and looked at anew.

mod looking;
mod naming;
mod telling;
mod turning;

use crate::hand::Hand;
use anyhow::Context as _;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Begins, unless there is nothing to manage. `on_end` is dropped with the thread.
pub(crate) fn start(
    hand: &Arc<Hand>,
    stop: &CancellationToken,
    on_end: Sender<Infallible>,
) -> anyhow::Result<Option<JoinHandle<()>>> {
    if hand.reaches.iter().all(|reach| reach.managed.is_none()) {
        return Ok(None);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("no runtime for the gateways that are managed")?;
    let (hand, stop) = (Arc::clone(hand), stop.clone());
    let thread = std::thread::Builder::new()
        .name("steering".to_owned())
        .spawn(move || {
            runtime.block_on(steer(&hand, &stop));
            runtime.shutdown_timeout(Duration::from_millis(200));
            drop(on_end);
        });
    thread
        .map(Some)
        .context("no thread for the gateways that are managed")
}

/// One task for each gateway, so that one that hangs delays no other.
async fn steer(hand: &Arc<Hand>, stop: &CancellationToken) {
    let mut tasks = JoinSet::new();
    for reach in &hand.reaches {
        let Some(managed) = reach.managed.as_ref().map(watch::Sender::subscribe) else {
            continue;
        };
        let (hand, reach, until) = (Arc::clone(hand), Arc::clone(reach), stop.clone());
        tasks.spawn(async move {
            let turning = turning::keep(&hand, &reach, managed);
            until.run_until_cancelled(turning).await;
        });
    }
    while tasks.join_next().await.is_some() {}
}
