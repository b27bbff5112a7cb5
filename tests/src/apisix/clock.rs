//! The two clocks of the twin.

use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::Instant;

pub(super) fn now() -> Instant {
    Instant::now()
}

/// Since the epoch.
#[expect(
    clippy::disallowed_methods,
    reason = "the twin stamps what it stores, as a real one does"
)]
pub(super) fn wall() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}
