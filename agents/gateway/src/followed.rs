//! When the node agent last gave a sign of life.

use std::time::Duration;
use tokio::time::Instant;

/// When the agent last gave a sign of life.
#[derive(Debug)]
pub(crate) struct Followed(std::sync::Mutex<Instant>);

impl Default for Followed {
    fn default() -> Self {
        Self(std::sync::Mutex::new(Instant::now()))
    }
}

impl Followed {
    /// It spoke just now.
    pub(crate) fn now(&self) {
        *self.lock() = Instant::now();
    }

    pub(crate) fn since(&self) -> Duration {
        self.lock().elapsed()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Instant> {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
