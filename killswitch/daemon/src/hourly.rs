//! How many answers a number may get in the provider's own call: each costs a text, and anybody can write a sender's number.

use kill_wire::Timestamp;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

/// Answers to one number an hour.
const MOST: usize = 10;
const HOUR_MS: u64 = 3_600_000;
/// Numbers that are counted; only those of registered people get answers without a code.
const MAX_NUMBERS: usize = 256;

/// The answers of the last hour.
#[derive(Debug, Default)]
pub(crate) struct Hourly(Mutex<BTreeMap<String, VecDeque<Timestamp>>>);

impl Hourly {
    /// Whether one more may go to this number now; counts it.
    pub(crate) fn admits(&self, number: &str, now: Timestamp) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = |at: &Timestamp| now.since(*at) < HOUR_MS;
        all.retain(|_, times| {
            times.retain(recent);
            !times.is_empty()
        });
        if all.len() >= MAX_NUMBERS && !all.contains_key(number) {
            return false;
        }
        let times = all.entry(number.to_owned()).or_default();
        if times.len() >= MOST {
            return false;
        }
        times.push_back(now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_an_hour_and_then_the_next_hour() {
        let hourly = Hourly::default();
        let at = |ms| Timestamp::from_millis(1_000 + ms);
        let admitted = (0..30).filter(|n| hourly.admits("+47", at(*n))).count();
        assert_eq!(admitted, MOST);
        assert!(hourly.admits("+46", at(30)), "another number");
        assert!(hourly.admits("+47", at(HOUR_MS)));
    }
}
