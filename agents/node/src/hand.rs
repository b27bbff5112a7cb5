//! What the agent has in hand: its decisions, its gateways, its record, its tasks.

use crate::clock;
use crate::driven::{Driven, Managed, Seen};
use crate::fencing::Fencing;
use crate::record::Record;
use agent_core::AgentCore;
use gateways::Driver;
use kill_wire::{Challenge, VerifyingKey};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio_util::task::TaskTracker;

/// How long an answer waits for the disk. The write goes on; the kill switch learns that it had not ended.
const SAVE_LIMIT: Duration = Duration::from_millis(150);

#[derive(Debug)]
pub(crate) struct Hand {
    pub(crate) node: String,
    pub(crate) keys: Vec<VerifyingKey>,
    /// What a look may try from here.
    pub(crate) direct: Vec<SocketAddr>,
    pub(crate) looking: tokio::sync::Mutex<()>,
    /// Told after everybody else whenever what is in force may have changed.
    pub(crate) changed: Notify,
    core: Mutex<AgentCore>,
    pub(crate) reaches: Vec<Arc<Reach>>,
    pub(crate) fencing: Option<Fencing>,
    pub(crate) record: Record,
    tasks: TaskTracker,
}

/// One gateway.
#[derive(Debug)]
pub(crate) struct Reach {
    pub(crate) name: String,
    pub(crate) driver: Driver,
    /// Whoever tells this gateway something holds it, and reads what to say only then: the last word is the newest.
    pub(crate) turn: tokio::sync::Mutex<()>,
    /// Asks for a look before its time.
    pub(crate) nudge: Notify,
    pub(crate) seen: Mutex<Seen>,
    /// Whether it is ours: then it says itself how it fares.
    pub(crate) ours: bool,
    /// What it shall do, where this host says so; another word may come at any time.
    pub(crate) managed: Option<watch::Sender<Managed>>,
}

impl Reach {
    fn new(driven: Driven, ours: bool) -> Arc<Self> {
        Arc::new(Self {
            name: driven.name,
            driver: driven.driver,
            turn: tokio::sync::Mutex::default(),
            nudge: Notify::new(),
            seen: Mutex::default(),
            ours,
            managed: driven.managed.map(watch::Sender::new),
        })
    }

    /// What is known of it besides.
    pub(crate) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The gateways of this host: ours by their kind, the others by the names the file gives them.
pub(crate) fn reaches(ours: Vec<Driver>, driven: Vec<Driven>) -> Vec<Arc<Reach>> {
    let ours = ours.into_iter().enumerate().map(|(n, driver)| {
        let name = match n {
            0 => driver.kind().to_owned(),
            n => format!("{}-{}", driver.kind(), n + 1),
        };
        let own = Driven {
            name,
            driver,
            managed: None,
        };
        Reach::new(own, true)
    });
    let others = driven.into_iter().map(|it| Reach::new(it, false));
    ours.chain(others).collect()
}

impl Hand {
    pub(crate) fn new(
        (node, keys): (String, Vec<VerifyingKey>),
        direct: Vec<SocketAddr>,
        core: AgentCore,
        (reaches, fencing): (Vec<Arc<Reach>>, Option<Fencing>),
        record: Record,
    ) -> Self {
        Self {
            node,
            keys,
            direct,
            looking: tokio::sync::Mutex::default(),
            changed: Notify::new(),
            core: Mutex::new(core),
            reaches,
            fencing,
            record,
            tasks: TaskTracker::new(),
        }
    }

    /// Writes down what is in force; the error is a sentence for the receipt.
    pub(crate) async fn save(self: &Arc<Self>) -> Result<(), String> {
        let hand = Arc::clone(self);
        let write = self.tasks.spawn(async move {
            let now = || hand.core().saved();
            hand.record.write_newest(now).await
        });
        let ended = tokio::time::timeout(SAVE_LIMIT, write).await;
        let written = match ended {
            Ok(Ok(written)) => written.map_err(|error| error.to_string()),
            Ok(Err(panic)) => Err(panic.to_string()),
            Err(_) => Err(format!("not on the disk after {SAVE_LIMIT:?}")),
        };
        written.map_err(|why| format!("state: {why}"))
    }

    /// What the next order must answer to permit anything; none where this host has no chance to draw from.
    pub(crate) fn challenge(&self) -> Option<Challenge> {
        let chance = clock::chance()?;
        Some(self.core().challenge(chance, clock::up()))
    }

    pub(crate) fn core(&self) -> MutexGuard<'_, AgentCore> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) const fn tasks(&self) -> &TaskTracker {
        &self.tasks
    }
}
