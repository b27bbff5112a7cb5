//! Takes what another kill switch of the house says: what it cut closes at once, what it restored is written down first.

use crate::answer::{Response, json, plain};
use crate::clock;
use crate::event::Event;
use crate::orders;
use crate::peers::Known;
use crate::recorder::First;
use crate::restore::written;
use crate::switch::Switch;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming as Body;
use kill_core::Heard;
use kill_wire::{Latch, MAX_PEER_BYTES, Order, PeerState};
use serde::{Deserialize, Serialize};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::time::timeout;

/// Until a body must be there.
const BODY_LIMIT: Duration = Duration::from_secs(5);

/// What the other is answered.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Taken {
    /// The number it was heard to say last: what it says next must have a higher one.
    pub(crate) seq: u64,
}

/// Answers `POST /v1/peer`.
pub(crate) async fn take(switch: &Arc<Switch>, request: Request<Body>) -> Response {
    let body = Limited::new(request.into_body(), MAX_PEER_BYTES).collect();
    let Ok(Ok(body)) = timeout(BODY_LIMIT, body).await else {
        return plain(
            StatusCode::BAD_REQUEST,
            "The body is too long or too slow.\n",
        );
    };
    let body = body.to_bytes();
    let opened = switch.peers.all.iter().enumerate().find_map(|(at, known)| {
        let (state, order) = PeerState::open(&body, &known.peer.key)?;
        Some((at, known, state, order))
    });
    let Some((at, known, state, order)) = opened else {
        return plain(StatusCode::FORBIDDEN, "Refused.\n");
    };
    let now = clock::now();
    let heard = switch.core().on_peer(&known.peer.name, &state, &order, now);
    if let Some(seq) = heard.stale {
        return json(&Taken { seq });
    }
    let (instance, seq) = (state.instance, order.seq);
    switch.peers.heard(known, instance, order.issued, now);
    if heard.learned {
        // Codes that count as used here, too: written with the next word, by nobody's waiting.
        switch.unwritten.store(true, Ordering::Relaxed);
    }
    follow(switch, at, heard, &order);
    json(&Taken { seq })
}

/// Acts in tasks of their own: the other does not wait for it.
fn follow(switch: &Arc<Switch>, at: usize, heard: Heard, order: &Order) {
    if !heard.cut.is_empty() {
        let latches = order.latches.as_slice().len();
        tracing::warn!(
            new = heard.cut.len(),
            latches,
            "Another kill switch has cut."
        );
        let (shared, cut) = (Arc::clone(switch), heard.cut);
        switch
            .tasks
            .spawn(async move { close(&shared, at, cut).await });
    }
    if !heard.released.is_empty() {
        let (shared, released, ends) = (Arc::clone(switch), heard.released, heard.ends);
        switch.tasks.spawn(async move {
            if let Some(known) = shared.peers.all.get(at) {
                open(&shared, known, &released, &ends).await;
            }
        });
    }
}

/// Orders first, writes down after.
async fn close(switch: &Arc<Switch>, at: usize, cut: Vec<Latch>) {
    orders::deliver(switch).await;
    let peer = switch.peers.all.get(at);
    let peer = peer.map_or_else(String::new, |known| known.peer.name.clone());
    let events = cut.into_iter().map(|latch| Event::PeerCut {
        incident: latch.incident,
        scope: latch.scope,
        peer: peer.clone(),
    });
    drop(switch.record(events.collect(), First::Latch));
}

/// Writes down first, then releases, then orders. What cannot be written down stays cut here, and is tried again when
/// the other says it again.
async fn open(
    switch: &Arc<Switch>,
    known: &Known,
    released: &[kill_wire::LatchId],
    ends: &[Latch],
) {
    let Ok(_one_at_a_time) = known.writing.try_lock() else {
        return;
    };
    let end = |latch: &Latch| Event::PeerRestored {
        incident: latch.incident,
        scope: latch.scope.clone(),
        peer: known.peer.name.clone(),
    };
    let events: Vec<Event> = ends.iter().map(end).collect();
    let recorded = {
        let core = switch.core();
        let memory = core.recorded_releases(released).to_json();
        switch.record_memory(memory, events.clone(), First::Journal)
    };
    if let Err(why) = written(recorded).await {
        tracing::error!(%why, "What another kill switch restored could not be recorded and stays cut here.");
        drop(switch.record(Vec::new(), First::Latch));
        return;
    }
    switch.core().commit_releases(released);
    switch.peers.tell();
    let now = clock::now();
    {
        let incidents = switch.incidents.lock();
        let mut incidents = incidents.unwrap_or_else(PoisonError::into_inner);
        events.iter().for_each(|event| incidents.take(now, event));
    }
    orders::deliver(switch).await;
    switch.look.notify_one();
    switch.restored.notify_waiters();
    tracing::info!(
        ended = ends.len(),
        by = known.peer.name,
        "Another kill switch has restored."
    );
}
