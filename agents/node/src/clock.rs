//! The one place where this crate reads a clock and draws chance.

use kill_wire::Timestamp;
use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// Time since this host started, also while it slept: nobody can set it, and a host that sleeps does not keep a lease.
pub(crate) fn up() -> Duration {
    let since = clock_gettime(ClockId::Boottime);
    let secs = u64::try_from(since.tv_sec).unwrap_or(0);
    Duration::new(secs, u32::try_from(since.tv_nsec).unwrap_or(0))
}

/// The time of day, as this host believes: hours of policies go by it, and no order or lease. A clock before 1970 reads
/// as 1970.
pub(crate) fn wall() -> Timestamp {
    let since = clock_gettime(ClockId::Realtime);
    let secs = u64::try_from(since.tv_sec).unwrap_or(0);
    let part = u64::try_from(since.tv_nsec).unwrap_or(0) / 1_000_000;
    Timestamp::from_millis(secs.saturating_mul(1000).saturating_add(part))
}

/// A number nobody can guess. Without one no order is ever answered, and everything closes when the lease is over.
pub(crate) fn chance() -> Option<u64> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).ok()?;
    Some(u64::from_be_bytes(bytes))
}
