//! How long to wait before the next attempt.

use std::time::Duration;

/// Gives any number; thousands of hosts must not come back in the same second.
pub type Chance = fn() -> u64;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);

/// Waits longer after each failure.
#[derive(Debug, Default)]
pub(crate) struct Patience {
    failures: u32,
}

impl Patience {
    /// It went well.
    pub(crate) const fn reset(&mut self) {
        self.failures = 0;
    }

    /// It did not: how long to wait, from half of the span to all of it; at least as long as was `asked` for.
    pub(crate) fn after_failure(&mut self, asked: Option<u64>, chance: u64) -> Duration {
        let span = FIRST.saturating_mul(1 << self.failures.min(6)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        let half = span / 2;
        let part = u32::try_from(chance % 1024).unwrap_or(0);
        let wait = half + half * part / 1024;
        let asked = Duration::from_secs(asked.unwrap_or(0)).min(LONGEST);
        if wait < asked { asked + wait / 4 } else { wait }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_minute_are_spread_and_keep_to_what_was_asked() {
        let mut patience = Patience::default();
        let waits: Vec<Duration> = (0..10)
            .map(|_| patience.after_failure(None, 1023))
            .collect();
        assert!(waits.is_sorted());
        assert!(waits[9] <= LONGEST && waits[9] > LONGEST / 10 * 9);
        patience.reset();
        assert!(patience.after_failure(None, 0) < patience.after_failure(None, 1023));
        patience.reset();
        assert!(patience.after_failure(Some(30), 5) >= Duration::from_secs(30));
        assert!(patience.after_failure(Some(u64::MAX), 5) <= LONGEST * 2);
    }
}
