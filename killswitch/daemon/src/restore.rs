//! Carries out a restore: written down first, then ordered. What cannot be written down is not done.
//!
//! What is written first is the journal's entry. The latch file goes on saying "cut" until the restore is in force: of a
//! disk that was too slow for the answer, a write may land after the refusal, and none of it can open anything.

use crate::clock;
use crate::event::Event;
use crate::orders;
use crate::recorder::First;
use crate::switch::Switch;
use kill_core::{Released, Reply, Restore};
use kill_wire::Latch;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// How long the disk may take before a restore is refused.
const WRITE_LIMIT: Duration = Duration::from_secs(5);

/// Why an accepted restore was not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotRestored {
    #[error("it could not be recorded, so the cut stays: {0}")]
    NotRecorded(String),
    #[error("a newer cut came first, so the cut stays")]
    Overtaken,
}

/// Records, then releases, then orders.
pub(crate) async fn carry_out(
    switch: &Arc<Switch>,
    restore: Restore,
) -> Result<Released, NotRestored> {
    let event = Event::Restored {
        incident: restore.latch.incident,
        scope: restore.latch.scope.clone(),
        by: restore.by.clone(),
        via: restore.via.clone(),
    };
    let written = switch.record(vec![event.clone()], First::Journal);
    let recorded = self::written(written).await;
    if let Err(why) = recorded {
        tracing::error!(scope = %restore.latch.scope, %why, "A restore could not be recorded and was refused.");
        not_done(switch, &restore.latch, "it could not be recorded");
        return Err(NotRestored::NotRecorded(why));
    }
    let mut released = switch.core().commit(restore.seal, clock::now());
    if released.overtaken {
        not_done(switch, &released.latch, "it was overtaken by a cut");
        return Err(NotRestored::Overtaken);
    }
    switch
        .incidents
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take(clock::now(), &event);
    let kept = switch.record(Vec::new(), First::Latch);
    switch.peers.tell();
    let delivery = orders::deliver(switch).await;
    switch.look.notify_one();
    switch.restored.notify_waiters();
    if self::written(kept).await.is_err() {
        let said = format!("{} NOT ON DISK.", released.text.as_str());
        released.text = Reply::from(said);
    }
    tracing::info!(incident = %released.latch.incident, scope = %released.latch.scope, unconfirmed = delivery.unconfirmed.len(), "Restored.");
    Ok(released)
}

/// The journal may say already that it was.
fn not_done(switch: &Switch, latch: &Latch, why: &str) {
    switch.note(Event::NotRestored {
        incident: latch.incident,
        scope: latch.scope.clone(),
        why: why.to_owned(),
    });
}

/// Waits for the disk, so long and no longer.
pub(crate) async fn written(answer: oneshot::Receiver<Result<(), String>>) -> Result<(), String> {
    match timeout(WRITE_LIMIT, answer).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => Err("the recorder has died".to_owned()),
        Err(_) => Err(format!("the disk did not answer within {WRITE_LIMIT:?}")),
    }
}
