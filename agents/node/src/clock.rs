//! The one place where this crate reads clocks.

use agent_core::Now;
use kill_wire::Timestamp;
use std::time::{Duration, Instant, SystemTime};

/// Both clocks, the second one counted from here.
#[derive(Debug)]
pub(crate) struct Clock {
    start: Instant,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "the one clock of this crate")]
    pub(crate) fn start() -> Self {
        let start = Instant::now();
        Self { start }
    }

    #[expect(clippy::disallowed_methods, reason = "the one clock of this crate")]
    pub(crate) fn now(&self) -> Now {
        // A clock set before 1970 reads as 1970: every order has then expired or comes from the future.
        let since = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        Now {
            wall: Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX)),
            up: self.up(),
        }
    }

    pub(crate) fn up(&self) -> Duration {
        self.start.elapsed()
    }
}
