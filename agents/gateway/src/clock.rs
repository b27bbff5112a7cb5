//! The one place where this crate reads the wall clock.

use kill_wire::Timestamp;
use std::time::{SystemTime, UNIX_EPOCH};

/// The wall clock; the epoch when it stands before that.
#[expect(
    clippy::disallowed_methods,
    reason = "the one clock of the gateway; everything else takes `now` as an argument"
)]
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
