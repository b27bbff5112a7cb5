//! Reports of this host, made on a thread of their own and put on the shelf that the uplink takes them from.

use super::clock;
use anyhow::Context as _;
use host_facts::{Besides, Buffer, Found, Reporter, Settings, Surroundings, Watcher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Begins. `besides` says what other parts of the agent know.
pub(super) fn start(
    settings: Settings,
    shelf: &Arc<Mutex<Buffer>>,
    every: Duration,
    besides: impl Fn() -> Besides + Send + 'static,
) -> anyhow::Result<Reporter> {
    let found = shelf.lock().unwrap_or_else(PoisonError::into_inner).found();
    if found == Found::Garbage {
        tracing::warn!("The file of waiting reports was none; what waited in it is lost.");
    }
    let refused = AtomicBool::new(false);
    let around = Surroundings {
        every,
        shelf: Arc::clone(shelf),
        now_ms: Box::new(|| clock::now().millis()),
        besides: Box::new(besides),
        // Said once, and once more when it is over.
        kept: Box::new(move |kept| match kept {
            Ok(seq) if refused.swap(false, Ordering::Relaxed) => {
                tracing::info!(seq, "Reports are written down again.");
            }
            Ok(_) => {}
            Err(error) if !refused.swap(true, Ordering::Relaxed) => {
                tracing::warn!(%error, "Reports cannot be written down; the newest are kept in memory.");
            }
            Err(_) => {}
        }),
    };
    let watcher = Watcher::new(settings, env!("CARGO_PKG_VERSION"));
    Reporter::start(watcher, around).context("cannot start the reporter's thread")
}
