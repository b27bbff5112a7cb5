//! How often one host may bring reports: one batch in hand, and a pause after it that grows with its size.

use net_model::HostName;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Pause after any batch.
const LEAST: Duration = Duration::from_millis(500);
/// Bytes for which a host waits another second.
const BYTES_A_SECOND: usize = 64 * 1024;

/// Until when each host waits; as many entries as there are hosts that joined.
#[derive(Debug, Default)]
pub(crate) struct Pace(Mutex<BTreeMap<HostName, Turn>>);

#[derive(Debug)]
enum Turn {
    InHand,
    Until(Instant),
}

/// The right to bring one batch. Dropped, the pause begins.
#[derive(Debug)]
pub(crate) struct Batch<'p> {
    pace: &'p Pace,
    host: HostName,
    bytes: usize,
}

impl Pace {
    /// The right to bring a batch now, or in how many seconds to come again.
    pub(crate) fn begin(&self, host: &HostName, now: Instant) -> Result<Batch<'_>, u32> {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match turns.get(host) {
            Some(Turn::InHand) => return Err(2),
            Some(Turn::Until(until)) => {
                let left = until.saturating_duration_since(now);
                if !left.is_zero() {
                    return Err(u32::try_from(left.as_secs()).unwrap_or(60) + 1);
                }
            }
            None => {}
        }
        turns.insert(host.clone(), Turn::InHand);
        Ok(Batch {
            pace: self,
            host: host.clone(),
            bytes: 0,
        })
    }
}

impl Batch<'_> {
    pub(crate) const fn weighs(&mut self, bytes: usize) {
        self.bytes = bytes;
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        let more = self.bytes.saturating_mul(1000) / BYTES_A_SECOND;
        let pause = LEAST + Duration::from_millis(u64::try_from(more).unwrap_or(u64::MAX));
        let until = Turn::Until(Instant::now() + pause);
        let mut turns = self.pace.0.lock().unwrap_or_else(PoisonError::into_inner);
        turns.insert(self.host.clone(), until);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_batch_in_hand_then_a_pause_that_grows_with_its_size_and_nobody_else_waits() {
        let (pace, claw) = (Pace::default(), "claw1".parse().unwrap());
        let mut batch = pace.begin(&claw, Instant::now()).unwrap();
        let now = Instant::now();
        assert_eq!(pace.begin(&claw, now).unwrap_err(), 2);
        assert!(pace.begin(&"other".parse().unwrap(), now).is_ok());
        batch.weighs(256 * 1024);
        drop(batch);
        let now = Instant::now();
        assert_eq!(pace.begin(&claw, now).unwrap_err(), 5);
        let later = now + Duration::from_millis(4600);
        assert!(pace.begin(&claw, later).is_ok());
    }
}
