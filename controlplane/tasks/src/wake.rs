//! When a task runs: at once and then every so often, until it is told to stop.

use std::time::Duration;
use tokio::time::{Interval, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// What wakes one task.
pub(crate) struct Wake {
    ticks: Interval,
    stop: CancellationToken,
}

impl Wake {
    /// A run that took longer than `span` makes the next one later, not more frequent.
    pub(crate) fn every(span: Duration, stop: &CancellationToken) -> Self {
        let mut ticks = interval(span);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            ticks,
            stop: stop.clone(),
        }
    }

    /// Waits for the next run; false when there is none any more.
    pub(crate) async fn comes(&mut self) -> bool {
        let next = self.stop.run_until_cancelled(self.ticks.tick());
        next.await.is_some()
    }
}
