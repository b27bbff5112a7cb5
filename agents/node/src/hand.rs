//! What the agent has in hand: its decisions, its gateways, its record, its tasks.

use crate::clock::Clock;
use crate::record::Record;
use agent_core::AgentCore;
use gateways::Driver;
use kill_wire::VerifyingKey;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio_util::task::TaskTracker;

/// How long an answer waits for the disk. The write goes on; the kill switch learns that it had not ended.
const SAVE_LIMIT: Duration = Duration::from_millis(150);

#[derive(Debug)]
pub(crate) struct Hand {
    pub(crate) node: String,
    pub(crate) key: VerifyingKey,
    pub(crate) clock: Clock,
    core: Mutex<AgentCore>,
    pub(crate) reaches: Vec<Arc<Reach>>,
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
        node: String,
        key: VerifyingKey,
        core: AgentCore,
        drivers: Vec<Driver>,
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
            key,
            clock: Clock::start(),
            core: Mutex::new(core),
            reaches: drivers.into_iter().enumerate().map(reach).collect(),
            record,
            tasks: TaskTracker::new(),
        }
    }

    /// Writes down what is in force; the error is a sentence for the receipt.
    pub(crate) async fn save(self: &Arc<Self>) -> Result<(), String> {
        let hand = Arc::clone(self);
        let write = self.tasks.spawn(async move {
            let now = || hand.core().saved().clone();
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

    pub(crate) fn core(&self) -> MutexGuard<'_, AgentCore> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) const fn tasks(&self) -> &TaskTracker {
        &self.tasks
    }
}
