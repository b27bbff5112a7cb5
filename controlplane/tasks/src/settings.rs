//! What the tasks are given by the program they run in.

use inventory::Inventory;
use kill_wire::Timestamp;
use killctl::Lever;
use net_model::Observed;
use std::future::Future;
use std::path::PathBuf;
use store::Store;

/// Where the watch learns what a gateway does; the program answers it with its gateway driver.
pub trait Facts: Send + Sync + 'static {
    /// What the gateway says of itself, or in words why it cannot be asked.
    fn observed(&self) -> impl Future<Output = Result<Observed, String>> + Send;
}

/// What the tasks work with.
#[derive(Debug)]
pub struct Settings<F> {
    /// The database.
    pub store: Store,
    /// Where the gateway leaves its usage.
    pub spool_dir: PathBuf,
    /// The house's hosts.
    pub inventory: Inventory,
    /// When drills are run: a cron expression with seconds, in UTC; never when there is none.
    pub drill: Option<String>,
    /// The kill switch.
    pub lever: Lever,
    /// The gateway.
    pub facts: F,
    /// True when the built-in demo model answers.
    pub demo: bool,
    /// Reads the clock.
    pub clock: fn() -> Timestamp,
}
