//! How many reports one host may send: a day of them at once after an outage, then one each five seconds.

use kill_wire::Timestamp;

/// A day's reports, one each ten seconds, and some.
const MOST: u64 = 9_000;
/// Milliseconds until one more may be sent.
const EVERY_MS: u64 = 5_000;

/// What one host may still send.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    left: u64,
    /// Since when the next one accrues.
    since: Timestamp,
}

impl Pace {
    pub(crate) const fn new(now: Timestamp) -> Self {
        Self {
            left: MOST,
            since: now,
        }
    }

    /// Whether one more may come; counts it.
    pub(crate) fn admits(&mut self, now: Timestamp) -> bool {
        let accrued = now.since(self.since) / EVERY_MS;
        if accrued > 0 {
            self.left = self.left.saturating_add(accrued).min(MOST);
            self.since = self.since.plus_millis(accrued * EVERY_MS);
        }
        // A clock that was set back must not stop a host for the length of the step.
        self.since = self.since.min(now);
        let admits = self.left > 0;
        self.left = self.left.saturating_sub(1);
        admits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Timestamp {
        Timestamp::from_millis(1_000_000_000 + ms)
    }

    #[test]
    fn a_day_may_come_at_once_and_then_one_each_five_seconds() {
        let mut pace = Pace::new(at(0));
        assert!((0..MOST).all(|_| pace.admits(at(0))));
        assert!(!pace.admits(at(4_999)));
        assert!(pace.admits(at(5_000)));
        assert!(!pace.admits(at(5_001)));
        assert!(pace.admits(at(10_000)));
    }

    #[test]
    fn a_clock_set_back_stops_nobody_for_long() {
        let mut pace = Pace::new(at(900_000_000));
        (0..MOST).for_each(|_| {
            pace.admits(at(900_000_000));
        });
        assert!(!pace.admits(at(0)));
        assert!(pace.admits(at(5_000)));
    }
}
