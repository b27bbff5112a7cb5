//! Spending far faster than a consumer ever did.

use super::{
    Finding, Watch,
    chains::TICKS,
    history::{Reached, Usual},
    rates::SPANS,
    ticks,
};
use net_model::{MicroDollars, Reaction, TripKind, grouped};
use std::time::Duration;

/// What bounds one span of a spike, in thousandths of a usual day.
struct Bound {
    /// Requests within the span, at least.
    requests: u64,
    /// Tokens, at least: below, nothing hurts.
    tokens: u64,
    /// Enough when it is three times the highest ever.
    far: u64,
    /// Enough when it is well above the highest ever.
    dear: u64,
    /// Of a day's budget, without a history.
    new: u64,
}

const BOUNDS: [Bound; 3] = [
    Bound {
        requests: 8,
        tokens: 20_000,
        far: 4,
        dear: 12,
        new: 80,
    },
    Bound {
        requests: 16,
        tokens: 40_000,
        far: 12,
        dear: 40,
        new: 150,
    },
    Bound {
        requests: 40,
        tokens: 100_000,
        far: 40,
        dear: 120,
        new: 300,
    },
];

/// What a spike is looked for in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Tokens,
    Money,
    Requests,
}

impl Side {
    const ALL: [Self; 3] = [Self::Tokens, Self::Money, Self::Requests];

    const fn of(self, reached: &Reached) -> [u64; 3] {
        match self {
            Self::Tokens => reached.tokens,
            Self::Money => reached.money,
            Self::Requests => reached.requests,
        }
    }

    fn shown(self, amount: u64) -> String {
        match self {
            Self::Tokens => format!("{} tokens", grouped(amount)),
            Self::Money => format!("${}", MicroDollars(amount)),
            Self::Requests => format!("{amount} requests"),
        }
    }
}

impl Watch {
    pub(super) fn spike(&mut self, now: Duration) -> Option<Finding> {
        if self.rules.spike == Reaction::Off {
            return None;
        }
        let (side, at) = Side::ALL
            .into_iter()
            .find_map(|side| self.above(side).map(|at| (side, at)))?;
        let span = SPANS.get(at).copied().unwrap_or_default();
        let shown = |sums: [u64; 3]| side.shown(sums.get(at).copied().unwrap_or_default());
        let against = self.history.usual().map_or_else(
            || "more than the day's budget bears".to_owned(),
            |usual| format!("at most {} before", shown(side.of(usual.reached()))),
        );
        let amount = shown(self.sums(side));
        let since = ticks(now).saturating_sub(u32::from(span) * TICKS);
        self.found(TripKind::Spike, since, now, |pace| {
            let pace = if side == Side::Requests { pace } else { "" };
            format!("{amount} in {span} s, {against}{pace}")
        })
    }

    const fn sums(&self, side: Side) -> [u64; 3] {
        match side {
            Side::Tokens => self.tokens.sums(),
            Side::Money => self.money.sums(),
            Side::Requests => self.requests.sums(),
        }
    }

    /// The first span in which this side is a spike: against the highest ever and a usual day, else a day's budget.
    fn above(&self, side: Side) -> Option<usize> {
        let usual = self.history.usual();
        let budget = match side {
            Side::Tokens => self.budget.tokens,
            Side::Money => self.budget.money.map(|money| money.0),
            Side::Requests => None,
        };
        // What a flood of requests hurts by is still its tokens.
        let (hurts, day) = match (side, usual) {
            (Side::Money, usual) => (self.money.sums(), usual.map_or(0, Usual::day_money)),
            (_, usual) => (self.tokens.sums(), usual.map_or(0, Usual::day_tokens)),
        };
        let (tokens, requests) = (self.tokens.sums(), self.requests.sums());
        let mut spans = BOUNDS.iter().enumerate();
        spans.find_map(|(at, bound)| {
            let at_span = |sums: [u64; 3]| sums.get(at).copied().unwrap_or_default();
            if at_span(requests) < bound.requests || at_span(tokens) < bound.tokens {
                return None;
            }
            let share = |thousandths: u64| at_span(hurts) >= day / 1000 * thousandths;
            let is_above = match usual {
                Some(_) if day == 0 => false,
                Some(usual) => {
                    let (sum, highest) =
                        (at_span(self.sums(side)), at_span(side.of(usual.reached())));
                    // A week shows how high it goes; two days show less, and one shows little.
                    let unseen = match usual.days {
                        1 => highest * 2,
                        days => highest / days,
                    };
                    let (well, far) = (highest * 3 / 2 + unseen, highest * 5 / 2 + unseen);
                    if side == Side::Requests {
                        // Over longer spans an agent's helpers add up.
                        at == 0 && sum >= 2 * bound.requests && share(bound.far) && sum > well
                    } else {
                        (share(bound.dear) && sum > well) || (share(bound.far) && sum > far)
                    }
                }
                None => budget.is_some_and(|budget| {
                    budget > 0 && at_span(hurts) >= budget / 1000 * bound.new
                }),
            };
            is_above.then_some(at)
        })
    }
}
