//! What was asked and not yet answered. Each counts once.

use kill_wire::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Most that wait at once. An address that tries as often as it may keeps a tenth of these.
const MOST: usize = 1024;

/// How long an answer is waited for, in milliseconds.
pub(crate) const PATIENCE_MS: u32 = 120_000;

/// Questions by their challenge, each with the instant until which it may be answered.
#[derive(Debug)]
pub(crate) struct Asked<T>(Mutex<BTreeMap<u128, (Timestamp, T)>>);

impl<T> Default for Asked<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Asked<T> {
    /// Keeps one; false where too many wait.
    pub(crate) fn keep(&self, challenge: u128, what: T, now: Timestamp) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST {
            all.retain(|_, (until, _)| now < *until);
        }
        if all.len() >= MOST {
            return false;
        }
        let until = now.plus_millis(PATIENCE_MS.into());
        all.insert(challenge, (until, what));
        true
    }

    /// Spends one; none where it was never asked, is spent, or is over.
    pub(crate) fn take(&self, challenge: u128, now: Timestamp) -> Option<T> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (until, what) = all.remove(&challenge)?;
        (now < until).then_some(what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_answered_once_and_in_time() {
        let (asked, at) = (Asked::default(), Timestamp::from_millis);
        assert!(asked.keep(1, "one", at(0)) && asked.keep(2, "two", at(0)));
        assert_eq!(asked.take(1, at(5)), Some("one"));
        assert_eq!(asked.take(1, at(5)), None);
        assert_eq!(asked.take(3, at(5)), None);
        assert_eq!(asked.take(2, at(PATIENCE_MS.into())), None);
    }

    #[test]
    fn no_more_wait_than_there_is_room_for_and_time_makes_room() {
        let (asked, at) = (Asked::default(), Timestamp::from_millis);
        for n in 0..MOST as u128 {
            assert!(asked.keep(n, (), at(0)));
        }
        assert!(!asked.keep(9999, (), at(1)));
        assert!(asked.keep(9999, (), at(PATIENCE_MS.into())));
        assert_eq!(asked.0.lock().unwrap().len(), 1);
    }
}
