//! Carries out a restore: written down first, then ordered. What cannot be written down is not done.

use crate::clock;
use crate::event::Event;
use crate::orders;
use crate::recorder::First;
use crate::switch::Switch;
use kill_core::{Released, Restore};
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
    let written = {
        let core = switch.core();
        let memory = core.recorded(&restore.seal, clock::now()).to_json();
        switch.record_memory(memory, vec![event.clone()], First::Journal)
    };
    let recorded = self::written(written).await;
    if let Err(why) = recorded {
        tracing::error!(scope = %restore.latch.scope, %why, "A restore could not be recorded and was refused.");
        switch.note_refusal(&restore.via, "restore could not be recorded");
        // A slow disk may write the released state yet; what is true goes behind it.
        drop(switch.record(Vec::new(), First::Latch));
        return Err(NotRestored::NotRecorded(why));
    }
    let released = switch.core().commit(restore.seal, clock::now());
    if released.overtaken {
        switch.note_refusal(&restore.via, "restore was overtaken by a cut");
        return Err(NotRestored::Overtaken);
    }
    switch
        .incidents
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take(clock::now(), &event);
    switch.peers.tell();
    let delivery = orders::deliver(switch).await;
    switch.look.notify_one();
    switch.restored.notify_waiters();
    tracing::info!(incident = %released.latch.incident, scope = %released.latch.scope, unconfirmed = delivery.unconfirmed.len(), "Restored.");
    Ok(released)
}

/// Waits for the disk, so long and no longer.
pub(crate) async fn written(answer: oneshot::Receiver<Result<(), String>>) -> Result<(), String> {
    match timeout(WRITE_LIMIT, answer).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => Err("the recorder has died".to_owned()),
        Err(_) => Err(format!("the disk did not answer within {WRITE_LIMIT:?}")),
    }
}
