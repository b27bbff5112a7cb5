//! Whether a signed time is near enough to now.

use crate::refusal::Refusal;
use kill_wire::Timestamp;

/// How far a sender's clock may be off either way, in seconds: what most providers' own libraries allow.
pub(crate) const TOLERANCE_S: u64 = 300;

/// A time in whole seconds since the epoch.
///
/// Only digits: what stands between separators is signed as text, and must read one way.
pub(crate) fn seconds(text: &str) -> Result<u64, Refusal> {
    let digits = !text.is_empty() && text.len() <= 12 && text.bytes().all(|b| b.is_ascii_digit());
    let at = text.parse().ok().filter(|_| digits);
    at.ok_or(Refusal::Header)
}

/// Checks that a time in seconds since the epoch is at most `tolerance` seconds from now, either way.
pub(crate) const fn within(at: u64, now: Timestamp, tolerance: u64) -> Result<(), Refusal> {
    if now.secs().abs_diff(at) > tolerance {
        Err(Refusal::Stale)
    } else {
        Ok(())
    }
}
