//! The one place where the daemon reads the clock and draws randomness.

use kill_wire::Timestamp;

/// Wall-clock time.
#[expect(
    clippy::disallowed_methods,
    reason = "the daemon's one clock; everything else takes `now`"
)]
pub(crate) fn now() -> Timestamp {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// Bytes that make two orders differ. Falls back to the clock: a cut does not wait for entropy,
/// and what protects an order is its signature and its number.
pub(crate) fn nonce() -> [u8; 16] {
    let mut bytes = [0; 16];
    if getrandom::fill(&mut bytes).is_err() {
        let (head, _) = bytes.split_at_mut(8);
        head.copy_from_slice(&now().millis().to_be_bytes());
    }
    bytes
}

/// Time since this machine was started, suspension counted; nobody can set it.
pub(crate) fn since_boot() -> std::time::Duration {
    let since = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let secs = u64::try_from(since.tv_sec).unwrap_or(0);
    std::time::Duration::new(secs, u32::try_from(since.tv_nsec).unwrap_or(0))
}
