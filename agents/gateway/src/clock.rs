//! The one place where this crate reads the wall clock, and how it counts time.

use kill_wire::Timestamp;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The wall clock; the epoch when it stands before that.
#[expect(
    clippy::disallowed_methods,
    reason = "the one clock of the gateway; everything else takes `now` as an argument"
)]
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_millis(millis(since))
}

/// Whole milliseconds.
pub(crate) fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
