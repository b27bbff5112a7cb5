//! The one place where the program reads the wall clock. Orders and leases go by the time since the host started.

use kill_wire::Timestamp;
use std::time::{SystemTime, UNIX_EPOCH};

/// Now, in UTC, as this host believes; a clock before 1970 reads as 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "the one wall clock of this program; what decides takes the instant as an argument"
)]
pub(super) fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
