//! The one place where the courier reads the clock.

use kill_wire::Timestamp;

/// Wall-clock time: what signed requests carry.
#[expect(
    clippy::disallowed_methods,
    reason = "the courier's one clock; everything else takes `now`"
)]
pub(crate) fn now() -> Timestamp {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
