//! Bounds how often a page may ask for what costs others work, such as a test. Whoever asks too soon is told when to come again.

use kill_wire::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Between two of the same, in milliseconds.
const EACH_MS: u64 = 3_000;
/// Of all together in a minute.
const MOST: usize = 20;
const MINUTE_MS: u64 = 60_000;

/// What was asked for in the last minute, and when.
#[derive(Debug, Default)]
pub(crate) struct Pace(Mutex<Vec<(Timestamp, String)>>);

impl Pace {
    /// Counts one; where there were too many, after how many seconds it makes sense to ask again.
    pub(crate) fn allow(&self, what: &str, now: Timestamp) -> Result<(), u64> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // What lies ahead was counted before the clock was set back.
        all.retain(|(at, _)| *at <= now && now.since(*at) < MINUTE_MS);
        let mut wait = 0;
        let same = all.iter().rev().find(|(_, it)| it == what);
        if let Some((at, _)) = same {
            wait = EACH_MS.saturating_sub(now.since(*at));
        }
        if let (true, Some((oldest, _))) = (all.len() >= MOST, all.first()) {
            wait = wait.max(MINUTE_MS.saturating_sub(now.since(*oldest)));
        }
        if wait > 0 {
            return Err(wait.div_ceil(1000));
        }
        all.push((now, what.to_owned()));
        Ok(())
    }
}

/// The last answer for each name, as long as this process runs.
#[derive(Debug)]
pub(crate) struct Last<T>(Mutex<BTreeMap<String, T>>);

/// Names that are remembered.
const REMEMBERED: usize = 1_024;

impl<T> Default for Last<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Last<T> {
    pub(crate) fn keep(&self, name: &str, it: T) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= REMEMBERED && !all.contains_key(name) {
            all.pop_first();
        }
        all.insert(name.to_owned(), it);
    }

    pub(crate) fn of(&self, name: &str) -> Option<T> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(name).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_waits_a_moment_and_all_together_a_minute() {
        let (pace, at) = (Pace::default(), Timestamp::from_millis);
        assert_eq!(pace.allow("far", at(1_000)), Ok(()));
        assert_eq!(pace.allow("far", at(1_500)), Err(3));
        assert_eq!(pace.allow("near", at(1_500)), Ok(()));
        assert_eq!(pace.allow("far", at(4_000)), Ok(()));
        for n in 3..MOST {
            assert_eq!(pace.allow(&n.to_string(), at(5_000)), Ok(()));
        }
        assert_eq!(pace.allow("one more", at(6_000)), Err(55));
        assert_eq!(pace.allow("one more", at(61_000)), Ok(()));
        // A clock that was set back locks nobody out.
        assert_eq!(pace.allow("one more", at(10)), Ok(()));
    }

    #[test]
    fn it_remembers_a_bounded_number_of_names() {
        let last = Last::default();
        for n in 0..2_000 {
            last.keep(&n.to_string(), n);
        }
        assert_eq!(last.of("1999"), Some(1_999));
        assert!(last.0.lock().unwrap().len() <= REMEMBERED);
    }
}
