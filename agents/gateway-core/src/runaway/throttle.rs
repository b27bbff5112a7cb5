//! Slows a consumer down: one exchange at a time, and these with a pause between.
//!
//! It ends by itself. Each time it was in vain it lasts twice as long as the time before, up to an hour.

use super::Finding;
use std::time::Duration;

/// Between the end of one exchange and the beginning of the next.
const PAUSE: Duration = Duration::from_secs(5);
/// How long the first one lasts.
const FIRST: Duration = Duration::from_mins(1);
/// How long it lasts at most.
const LONGEST: Duration = Duration::from_hours(1);
/// After so long without one, the next is a first one again.
const FORGIVEN: Duration = Duration::from_hours(2);

/// What a request has to wait for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// The figures that the throttle began with.
    pub figures: String,
    /// After this long the next request may come, if none is open then.
    pub pause: Duration,
    /// After this long the throttle ends.
    pub rest: Duration,
}

/// Of one consumer.
#[derive(Clone, Debug, Default)]
pub(super) struct Throttle {
    /// Until when, and what for.
    until: Option<(Duration, String)>,
    /// How long the last one was, and when it ended or ends.
    last: Option<(Duration, Duration)>,
    /// When the next one may come.
    next: Duration,
}

impl Throttle {
    /// Slows down from now on.
    pub(super) fn begin(&mut self, finding: &Finding, now: Duration) {
        let lasts = match self.last {
            Some((lasted, ended)) if now.saturating_sub(ended) < FORGIVEN => {
                lasted.saturating_mul(2).min(LONGEST)
            }
            _ => FIRST,
        };
        let until = now + lasts;
        self.last = Some((lasts, until));
        self.until = Some((until, finding.figures.clone()));
        self.next = now + PAUSE;
    }

    /// Whether a request may begin while so many are open.
    pub(super) fn admit(&mut self, open: u32, now: Duration) -> Result<(), Wait> {
        let Some((until, figures)) = &self.until else {
            return Ok(());
        };
        if now >= *until {
            self.until = None;
            return Ok(());
        }
        if open == 0 && now >= self.next {
            return Ok(());
        }
        Err(Wait {
            figures: figures.clone(),
            pause: self.next.saturating_sub(now).max(Duration::from_secs(1)),
            rest: *until - now,
        })
    }

    /// A request begins.
    pub(super) fn begun(&mut self, now: Duration) {
        self.pause_from(now);
    }

    /// A request has ended.
    pub(super) fn ended(&mut self, now: Duration) {
        self.pause_from(now);
    }

    fn pause_from(&mut self, now: Duration) {
        if self.until.is_some() {
            self.next = now + PAUSE;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use net_model::{Reaction, TripKind};

    fn finding() -> Finding {
        Finding {
            kind: TripKind::Repeats,
            reaction: Reaction::Throttle,
            figures: "41 identical prompts in 12 s".to_owned(),
            since: Duration::ZERO,
        }
    }

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn one_at_a_time_with_a_pause_between() {
        let mut throttle = Throttle::default();
        assert_eq!(throttle.admit(90, at(99)), Ok(()));
        throttle.begin(&finding(), at(100));
        let wait = throttle.admit(0, at(101)).unwrap_err();
        assert_eq!((wait.pause, wait.rest), (at(4), at(59)));
        assert_eq!(throttle.admit(0, at(105)), Ok(()));
        throttle.begun(at(105));
        assert!(throttle.admit(1, at(130)).is_err());
        throttle.ended(at(130));
        assert!(throttle.admit(0, at(134)).is_err());
        assert_eq!(throttle.admit(0, at(135)), Ok(()));
    }

    #[test]
    fn it_ends_by_itself_and_lasts_longer_each_time_it_was_in_vain() {
        let mut throttle = Throttle::default();
        throttle.begin(&finding(), at(0));
        assert!(throttle.admit(5, at(59)).is_err());
        assert_eq!(throttle.admit(5, at(60)), Ok(()));
        throttle.begin(&finding(), at(70));
        assert!(throttle.admit(5, at(189)).is_err());
        assert_eq!(throttle.admit(5, at(190)), Ok(()));
        for _ in 0..10 {
            throttle.begin(&finding(), at(200));
        }
        assert!(throttle.admit(5, at(200 + 3599)).is_err());
        assert_eq!(throttle.admit(5, at(200 + 3600)), Ok(()));
        throttle.begin(&finding(), at(20_000));
        assert_eq!(throttle.admit(5, at(20_060)), Ok(()));
    }
}
