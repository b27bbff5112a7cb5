//! How often something may fail.

use kill_wire::Timestamp;
use serde::{Deserialize, Serialize};

const DAY_MS: u64 = 86_400_000;

/// Failed tries of the last 24 hours, at most [`crate::Rules::MAX_GUESSES`] of them.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Failed(Vec<Timestamp>);

impl Failed {
    /// How many more may fail.
    pub(crate) fn left(&self, limit: u32, now: Timestamp) -> usize {
        let recent = self.0.iter().filter(|at| now.since(**at) < DAY_MS);
        most(limit).saturating_sub(recent.count())
    }

    /// Counts failures; what is past the limit is not told apart.
    pub(crate) fn add(&mut self, tries: usize, limit: u32, now: Timestamp) {
        self.0.retain(|at| now.since(*at) < DAY_MS);
        let room = most(limit).saturating_sub(self.0.len());
        self.0.extend(std::iter::repeat_n(now, tries.min(room)));
    }

    /// Forgets them all.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Whether a file's content keeps the bound.
    pub(crate) fn bounded(&self) -> bool {
        self.0.len() <= most(u32::MAX)
    }
}

fn most(limit: u32) -> usize {
    limit.min(crate::Rules::MAX_GUESSES) as usize
}

/// A budget that grows again evenly over a day.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Bucket {
    spent: u32,
    at: Timestamp,
}

impl Bucket {
    /// Takes as many of `wanted` as there are.
    pub(crate) fn take(&mut self, wanted: usize, a_day: u32, now: Timestamp) -> usize {
        let one_ms = DAY_MS / u64::from(a_day.max(1));
        let back = now.since(self.at) / one_ms;
        self.spent = self
            .spent
            .min(a_day)
            .saturating_sub(u32::try_from(back).unwrap_or(u32::MAX));
        // A clock that was set back must not stop the budget from growing.
        self.at = if self.spent == 0 || now < self.at {
            now
        } else {
            self.at.plus_millis(back * one_ms)
        };
        let given = wanted.min(a_day.saturating_sub(self.spent) as usize);
        self.spent += u32::try_from(given).unwrap_or(u32::MAX);
        given
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_a_day_s_worth_and_one_more_as_time_passes() {
        let mut bucket = Bucket::default();
        let at = Timestamp::from_millis(1_795_248_120_000);
        assert_eq!(bucket.take(300, 288, at), 288);
        assert_eq!(bucket.take(1, 288, at), 0);
        assert_eq!(bucket.take(9, 288, at.plus_millis(300_000)), 1);
        assert_eq!(bucket.take(9, 288, at.plus_millis(600_000 - 1)), 0);
        assert_eq!(bucket.take(9, 288, at.plus_millis(600_000)), 1);
        let back = Timestamp::from_millis(1000);
        assert_eq!(bucket.take(9, 288, back), 0);
        assert_eq!(bucket.take(9, 288, back.plus_millis(300_000)), 1);
    }

    #[test]
    fn failures_count_for_a_day() {
        let mut failed = Failed::default();
        let at = Timestamp::from_millis(1_795_248_120_000);
        failed.add(99, 10, at);
        assert_eq!((failed.left(10, at), failed.left(12, at)), (0, 2));
        assert_eq!(failed.left(10, at.plus_millis(DAY_MS)), 10);
    }
}
