//! What a consumer usually does: the highest it ever reached, day by day, for a week.
//!
//! An hour counts only when it is over, so that a runaway does not become its own measure. Kept in memory: after a
//! restart a consumer is new again.

/// Days that are remembered.
const DAYS: usize = 7;
/// Hours of a day.
const HOURS: u64 = 24;
/// Exchanges below which a day tells nothing.
const TELLING: u64 = 20;

/// The highest figures of some time, and its totals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Reached {
    /// Tokens within each of the spans.
    pub(super) tokens: [u64; 3],
    /// Micro-dollars within each of the spans.
    pub(super) money: [u64; 3],
    /// Requests within the spans.
    pub(super) requests: [u64; 3],
    /// Exchanges open at once.
    pub(super) open: u32,
    /// Tokens in all.
    pub(super) all_tokens: u64,
    /// Micro-dollars in all.
    pub(super) all_money: u64,
    /// Exchanges in all.
    pub(super) exchanges: u64,
}

impl Reached {
    /// The higher of each figure, and the sums of the totals.
    fn and(self, other: Self) -> Self {
        let higher = |a: [u64; 3], b: [u64; 3]| {
            let ([a, b, c], [d, e, f]) = (a, b);
            [a.max(d), b.max(e), c.max(f)]
        };
        Self {
            tokens: higher(self.tokens, other.tokens),
            money: higher(self.money, other.money),
            requests: higher(self.requests, other.requests),
            open: self.open.max(other.open),
            all_tokens: self.all_tokens.saturating_add(other.all_tokens),
            all_money: self.all_money.saturating_add(other.all_money),
            exchanges: self.exchanges.saturating_add(other.exchanges),
        }
    }
}

/// What is usual, once there is enough to tell.
#[derive(Clone, Copy, Debug)]
pub(super) struct Usual {
    /// The highest of all days, and their totals together.
    reached: Reached,
    /// Whole days behind it, at least one.
    pub(super) days: u64,
}

impl Usual {
    /// The highest so far.
    pub(super) const fn reached(&self) -> &Reached {
        &self.reached
    }

    /// Tokens of a usual day.
    pub(super) const fn day_tokens(&self) -> u64 {
        self.reached.all_tokens / self.days
    }

    /// Micro-dollars of a usual day.
    pub(super) const fn day_money(&self) -> u64 {
        self.reached.all_money / self.days
    }
}

/// A week of one consumer.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    hour: u64,
    /// Not over yet: not part of what is usual.
    pub(super) this_hour: Reached,
    today: Reached,
    days: [Reached; DAYS],
    usual: Option<Usual>,
}

impl History {
    /// Goes on to this hour since the start.
    pub(super) fn turn(&mut self, hour: u64) {
        if hour <= self.hour {
            return;
        }
        self.today = self.today.and(std::mem::take(&mut self.this_hour));
        if hour / HOURS > self.hour / HOURS {
            let at = usize::try_from((self.hour / HOURS) % DAYS as u64).unwrap_or_default();
            let today = std::mem::take(&mut self.today);
            if let Some(day) = self.days.get_mut(at)
                && today.exchanges >= TELLING
            {
                *day = today;
            }
        }
        self.hour = hour;
        let told = self.days.iter().filter(|day| day.exchanges > 0);
        let (days, all) = told.fold((0, Reached::default()), |(days, all), day| {
            (days + 1, all.and(*day))
        });
        // What today has reached so far counts as a height, not as a total: it is no whole day.
        let heights = Reached {
            all_tokens: 0,
            all_money: 0,
            exchanges: 0,
            ..self.today
        };
        self.usual = (days > 0).then(|| Usual {
            reached: all.and(heights),
            days,
        });
    }

    /// What is usual; `None` for a consumer that is new.
    pub(super) const fn usual(&self) -> Option<&Usual> {
        self.usual.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(history: &mut History, number: u64, open: u32) {
        history.turn(number * HOURS + 1);
        history.this_hour = Reached {
            open,
            all_tokens: 1000,
            exchanges: 100,
            ..Reached::default()
        };
        history.turn(number * HOURS + 2);
    }

    #[test]
    fn a_new_consumer_has_no_history_until_a_day_is_over() {
        let mut history = History::default();
        day(&mut history, 0, 3);
        assert!(history.usual().is_none());
        history.turn(HOURS);
        let usual = history.usual().unwrap();
        assert_eq!((usual.reached().open, usual.day_tokens()), (3, 1000));
    }

    #[test]
    fn an_hour_counts_when_it_is_over() {
        let mut history = History::default();
        day(&mut history, 0, 3);
        history.turn(HOURS);
        history.this_hour.open = 50;
        assert_eq!(history.usual().unwrap().reached().open, 3);
        history.turn(HOURS + 1);
        assert_eq!(history.usual().unwrap().reached().open, 50);
        assert_eq!(history.usual().unwrap().day_tokens(), 1000);
    }

    #[test]
    fn a_height_is_forgotten_after_a_week_of_other_days() {
        let mut history = History::default();
        day(&mut history, 0, 90);
        for number in 1..=7 {
            day(&mut history, number, 5);
        }
        history.turn(8 * HOURS);
        assert_eq!(history.usual().unwrap().reached().open, 5);
    }
}
