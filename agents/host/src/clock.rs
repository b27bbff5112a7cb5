//! The one place where this crate reads clocks: only what passes, never what time it is.

use rustix::time::{ClockId, clock_gettime};

/// Milliseconds of a clock that nobody can set.
pub(crate) fn passing_ms() -> u64 {
    read(ClockId::Monotonic) / 1_000_000
}

/// Nanoseconds that this process has had a processor.
pub(crate) fn own_cpu_ns() -> u64 {
    read(ClockId::ProcessCPUTime)
}

fn read(clock: ClockId) -> u64 {
    let since = clock_gettime(clock);
    let (secs, nanos) = (u64::try_from(since.tv_sec), u64::try_from(since.tv_nsec));
    secs.unwrap_or(0)
        .saturating_mul(1_000_000_000)
        .saturating_add(nanos.unwrap_or(0))
}
