//! The one place of this program that reads the wall clock.

use kill_wire::Timestamp;
use std::time::{SystemTime, UNIX_EPOCH};

/// Now, in UTC; a clock before 1970 reads as 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "the one clock of this program; decisions take the instant as an argument"
)]
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
