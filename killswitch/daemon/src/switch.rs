//! What the tasks of the daemon share. Every lock here is held for a decision, never over a wait.

use crate::alarms::Alarms;
use crate::book::Book;
use crate::clock;
use crate::courier::outbox::Outbox;
use crate::direct::{Before, Direct};
use crate::event::Event;
use crate::held::Streams;
use crate::hourly::Hourly;
use crate::incidents::Incidents;
use crate::link::Link;
use crate::peers::Peers;
use crate::recorder::{First, Recorder};
use crate::self_call::UnderWay;
use crate::settings::Wishes;
use crate::vantage::{Canaries, Vantage};
use bytes::Bytes;
use kill_core::Core;
use kill_inbound::Channel;
use kill_wire::{DrillState, LatchSet, Name, SigningKey, Timestamp};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Everything.
#[derive(Debug)]
pub(crate) struct Switch {
    pub(crate) core: Mutex<Core>,
    pub(crate) key: SigningKey,
    pub(crate) links: Vec<Link>,
    pub(crate) peers: Peers,
    pub(crate) vantages: Vec<Vantage>,
    pub(crate) channels: Mutex<Arc<Vec<Channel>>>,
    pub(crate) book: Mutex<Book>,
    pub(crate) outbox: Outbox,
    pub(crate) hourly: Hourly,
    pub(crate) wishes: Wishes,
    pub(crate) direct: Vec<Direct>,
    pub(crate) before: Before,
    pub(crate) alarms: Alarms,
    /// Where webhooks come in.
    pub(crate) listens: SocketAddr,
    pub(crate) self_calls: UnderWay,
    /// The newest drill.
    pub(crate) drill: Mutex<Option<DrillState>>,
    pub(crate) recorder: Recorder,
    pub(crate) incidents: Mutex<Incidents>,
    pub(crate) canaries: Mutex<Canaries>,
    pub(crate) names: Mutex<Vec<Name>>,
    /// Of these, the ones that the configuration names.
    pub(crate) scopes: Vec<Name>,
    pub(crate) refusals: Mutex<Refusals>,
    /// The memory has changed in a way nobody waits for.
    pub(crate) unwritten: AtomicBool,
    /// What was found wrong at start; shown until someone restores.
    pub(crate) doubts: Vec<String>,
    /// What could not be set up; shown as long as it runs.
    pub(crate) troubles: Vec<String>,
    pub(crate) people_file: PathBuf,
    pub(crate) seen_file: PathBuf,
    pub(crate) started: Timestamp,
    /// When the newest file of the state had been changed, at the start.
    pub(crate) newest_file: Option<Timestamp>,
    /// Some agent did not confirm: bring the orders again soon.
    pub(crate) hurry: Notify,
    /// What should be open has changed: try it now.
    pub(crate) look: Notify,
    /// The same, for everybody who holds a stream.
    pub(crate) restored: Notify,
    pub(crate) streams: Streams,
    pub(crate) tasks: TaskTracker,
    pub(crate) stop: CancellationToken,
}

/// How many refusals went into the journal in the present hour.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    hour: u64,
    written: u32,
    left_out: u64,
}

/// Refusals written an hour; the rest are counted.
const REFUSALS_AN_HOUR: u32 = 60;

impl Switch {
    /// The core, for one decision.
    pub(crate) fn core(&self) -> MutexGuard<'_, Core> {
        // A decision that panicked left the memory as it was between two assignments; to go on is to fail towards cut.
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The channels as they are now.
    pub(crate) fn channels(&self) -> Arc<Vec<Channel>> {
        let channels = self.channels.lock();
        Arc::clone(&channels.unwrap_or_else(PoisonError::into_inner))
    }

    /// Where both are needed, the core is locked first.
    pub(crate) fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn drill(&self) -> MutexGuard<'_, Option<DrillState>> {
        self.drill.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn canaries(&self) -> MutexGuard<'_, Canaries> {
        self.canaries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn latches(&self) -> LatchSet {
        self.core().memory().latches().clone()
    }

    /// The signed bytes of the present state, with a new number.
    pub(crate) fn sign(&self) -> Bytes {
        let agents = self.links.iter();
        let answers = agents.filter_map(|link| link.health.challenge()).collect();
        self.core()
            .next_order(clock::now(), clock::nonce(), answers)
            .seal(&self.key)
            .into()
    }

    pub(crate) fn overtake(&self, current: u64) {
        self.core().overtake(current);
    }

    pub(crate) fn address(&self, at: usize) -> String {
        self.links
            .get(at)
            .map(|link| link.health.get().address)
            .unwrap_or_default()
    }

    pub(crate) fn learn(&self, mut names: Vec<Name>) {
        names.extend(self.scopes.iter().cloned());
        names.sort();
        names.dedup();
        self.core().set_names(names.clone());
        *self.names.lock().unwrap_or_else(PoisonError::into_inner) = names;
    }

    /// What is done every ten seconds besides the lease.
    pub(crate) fn tick(&self) {
        // Code tables of the next minutes, so that a text need not wait for them.
        self.core().prepare(clock::now());
        let lost = self.outbox.expire(clock::now());
        if lost > 0 {
            tracing::error!(lost, "Replies were not sent: no courier took them in time.");
        }
        if self.unwritten.swap(false, Ordering::Relaxed) {
            drop(self.record(Vec::new(), First::Latch));
        }
    }

    /// Journals, without waiting for the disk. The latch file keeps the memory as it is now.
    pub(crate) fn note(&self, event: Event) {
        drop(self.record(vec![event], First::Latch));
    }

    /// Queues events and the present memory; the answer tells when they stand on disk.
    pub(crate) fn record(
        &self,
        events: Vec<Event>,
        first: First,
    ) -> oneshot::Receiver<Result<(), String>> {
        let core = self.core();
        self.record_memory(core.memory().to_json(), events, first)
    }

    /// Queues events and this memory. Call it with the core locked where two writers could overtake each other.
    pub(crate) fn record_memory(
        &self,
        memory: String,
        events: Vec<Event>,
        first: First,
    ) -> oneshot::Receiver<Result<(), String>> {
        let now = clock::now();
        let mut incidents = self
            .incidents
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if first == First::Latch {
            events.iter().for_each(|event| incidents.take(now, event));
        }
        self.peers.tell();
        self.recorder.write(now, memory, events, first)
    }

    /// Journals a refusal, at most [`REFUSALS_AN_HOUR`] of them.
    pub(crate) fn note_refusal(&self, via: &str, why: &str) {
        let unwritten = {
            let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
            let hour = clock::now().secs() / 3600;
            if refusals.hour != hour {
                refusals.hour = hour;
                refusals.written = 0;
            }
            if refusals.written >= REFUSALS_AN_HOUR {
                refusals.left_out += 1;
                // Failed tries count all the same; a flood of them is written once in ten seconds.
                self.unwritten.store(true, Ordering::Relaxed);
                return;
            }
            refusals.written += 1;
            std::mem::take(&mut refusals.left_out)
        };
        self.note(Event::Refused {
            via: via.to_owned(),
            why: why.to_owned(),
            unwritten,
        });
    }
}
