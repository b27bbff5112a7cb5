//! The two clocks of the benchmarks.

use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since the epoch, as the scripted upstream's log has them.
#[expect(
    clippy::disallowed_methods,
    reason = "the upstream is another process; wall time is what both share"
)]
#[must_use]
pub fn wall_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| {
            u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
        })
}

/// An instant of this process.
pub type Mark = tokio::time::Instant;

/// Now.
#[must_use]
pub fn mark() -> Mark {
    Mark::now()
}

/// Milliseconds from `since` to `until`; zero when it came before.
#[must_use]
pub fn ms(since: Mark, until: Mark) -> f64 {
    until.saturating_duration_since(since).as_secs_f64() * 1000.0
}
