//! So many a minute: a bucket that fills steadily, and may be drawn below empty by what could not be known before.

use std::time::Duration;

/// The level is kept in these parts of one, so that a millisecond adds a whole number of them.
const PARTS: i64 = 60_000;

/// Fills by `most` a minute and holds as many.
#[derive(Clone, Debug)]
pub(super) struct Bucket {
    most: u64,
    /// In parts; below zero: drawn before it was there.
    level: i64,
    /// Up to when it was filled.
    at: Duration,
}

impl Bucket {
    /// A full one.
    pub(super) fn full(most: u64, now: Duration) -> Self {
        Self {
            most,
            level: parts(most),
            at: now,
        }
    }

    /// Another amount from now on; what was drawn stays drawn.
    pub(super) fn resize(&mut self, most: u64, now: Duration) {
        self.fill(now);
        let drawn = parts(self.most).saturating_sub(self.level);
        self.most = most;
        self.level = parts(most).saturating_sub(drawn);
    }

    fn fill(&mut self, now: Duration) {
        let whole = now.saturating_sub(self.at).as_millis();
        let ms = i64::try_from(whole).unwrap_or(i64::MAX);
        let rate = i64::try_from(self.most).unwrap_or(i64::MAX);
        let filled = self.level.saturating_add(ms.saturating_mul(rate));
        self.level = filled.min(parts(self.most));
        self.at += Duration::from_millis(u64::try_from(ms).unwrap_or(0));
    }

    /// How long until `need` are there; `None`: they are. More than it holds is let through when it is full.
    pub(super) fn wait(&mut self, need: u64, now: Duration) -> Option<Duration> {
        self.fill(now);
        let short = parts(need.min(self.most)).saturating_sub(self.level);
        let rate = i64::try_from(self.most.max(1)).unwrap_or(i64::MAX);
        let ms = u64::try_from(short).ok()?.div_ceil(rate.unsigned_abs());
        (ms > 0).then(|| Duration::from_millis(ms))
    }

    /// Draws, below empty where it must.
    pub(super) fn take(&mut self, count: u64) {
        self.level = self.level.saturating_sub(parts(count));
    }

    /// Gives back what was not used after all.
    pub(super) fn give(&mut self, count: u64) {
        let level = self.level.saturating_add(parts(count));
        self.level = level.min(parts(self.most));
    }

    /// How many it holds when full, how many are there, and when it is full again.
    pub(super) fn rate(&self) -> Rate {
        let there = u64::try_from(self.level).unwrap_or(0) / PARTS.unsigned_abs();
        let missing = parts(self.most).saturating_sub(self.level);
        let ms = u64::try_from(missing).unwrap_or(0) / self.most.max(1);
        Rate {
            most: self.most,
            left: there,
            full_in: Duration::from_millis(ms),
        }
    }
}

/// How a limit stands, as clients are told in `x-ratelimit-*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// A minute.
    pub most: u64,
    /// Of these, still free now.
    pub left: u64,
    /// When all of them are free again, if nothing more is asked.
    pub full_in: Duration,
}

fn parts(count: u64) -> i64 {
    i64::try_from(count)
        .unwrap_or(i64::MAX)
        .saturating_mul(PARTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(s: u64) -> Duration {
        Duration::from_secs(s)
    }

    #[test]
    fn so_many_at_once_and_then_so_many_a_minute() {
        let mut bucket = Bucket::full(3, secs(0));
        for _ in 0..3 {
            assert_eq!(bucket.wait(1, secs(0)), None);
            bucket.take(1);
        }
        assert_eq!(bucket.wait(1, secs(0)), Some(secs(20)));
        assert_eq!(bucket.wait(1, secs(19)), Some(secs(1)));
        assert_eq!(bucket.wait(1, secs(20)), None);
    }

    #[test]
    fn what_was_drawn_below_empty_is_waited_for() {
        let mut bucket = Bucket::full(60, secs(0));
        bucket.take(180);
        assert_eq!(bucket.wait(1, secs(0)), Some(secs(121)));
        assert_eq!(bucket.wait(1, secs(121)), None);
        bucket.give(1000);
        assert_eq!(bucket.rate().left, 60);
        assert_eq!(bucket.wait(1000, secs(121)), None, "full lets anything in");
    }

    #[test]
    fn another_size_forgets_nothing() {
        let mut bucket = Bucket::full(60, secs(0));
        bucket.take(60);
        bucket.resize(120, secs(0));
        assert_eq!(bucket.rate().left, 60);
        bucket.resize(30, secs(0));
        assert_eq!(bucket.wait(1, secs(0)), Some(secs(62)));
    }

    #[test]
    fn the_greatest_figures_do_no_harm() {
        let mut bucket = Bucket::full(1_000_000_000_000, secs(0));
        bucket.take(u64::MAX);
        bucket.take(u64::MAX);
        let wait = bucket.wait(u64::MAX, secs(u64::MAX / 2));
        assert!(wait.is_some_and(|wait| wait < secs(61)));
    }
}
