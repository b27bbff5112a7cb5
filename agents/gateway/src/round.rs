//! Those that one sweep has ended, who wait for each other: every client is told first, and only then is tidied up.
//!
//! Letting go of a target, closing a connection and settling an account take longer than the few bytes that end a
//! stream. Done at once for each, they would keep the last client of a thousand waiting.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Nobody waits longer for the others than this: some may read slowly.
const LIMIT: Duration = Duration::from_millis(100);

/// One sweep.
#[derive(Debug)]
pub(crate) struct Round {
    untold: AtomicUsize,
    all_told: CancellationToken,
}

impl Round {
    /// A sweep begins: it counts as one that must be told, until it is over.
    pub(crate) fn begin() -> Arc<Self> {
        Arc::new(Self {
            untold: AtomicUsize::new(1),
            all_told: CancellationToken::new(),
        })
    }

    /// Somebody must be told.
    pub(crate) fn joined(&self) {
        self.untold.fetch_add(1, Ordering::AcqRel);
    }

    /// Somebody was told, or is gone.
    pub(crate) fn told(&self) {
        if self.untold.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.all_told.cancel();
        }
    }

    /// Waits for the others, for a while.
    pub(crate) async fn all_told(&self) {
        let _slow = timeout(LIMIT, self.all_told.cancelled()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_over_when_the_sweep_and_everybody_in_it_is() {
        let round = Round::begin();
        round.joined();
        round.joined();
        for _ in 0..3 {
            assert!(!round.all_told.is_cancelled());
            round.told();
        }
        assert!(round.all_told.is_cancelled());
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_long_for_one_who_is_slow() {
        let round = Round::begin();
        round.all_told().await;
        assert!(!round.all_told.is_cancelled());
    }
}
