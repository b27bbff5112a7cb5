//! What the agent has in hand: its decisions, its gateways, its record, its tasks.

use crate::clock;
use crate::fencing::Fencing;
use crate::record::Record;
use agent_core::AgentCore;
use gateways::Driver;
use kill_wire::{Challenge, VerifyingKey};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
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
}

impl Hand {
    pub(crate) fn new(
        (node, keys): (String, Vec<VerifyingKey>),
        direct: Vec<SocketAddr>,
        core: AgentCore,
        (drivers, fencing): (Vec<Driver>, Option<Fencing>),
        record: Record,
    ) -> Self {
        let reach = |(n, driver): (usize, Driver)| {
            let name = match n {
                0 => driver.kind().to_owned(),
                n => format!("{}-{}", driver.kind(), n + 1),
            };
            let turn = tokio::sync::Mutex::default();
            Arc::new(Reach { name, driver, turn })
        };
        Self {
            node,
            keys,
            direct,
            looking: tokio::sync::Mutex::default(),
            core: Mutex::new(core),
            reaches: drivers.into_iter().enumerate().map(reach).collect(),
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
