//! Tells a runaway consumer from a busy one, and says by which figures.
//!
//! A [`Watch`] follows one consumer in about 9 KB. It looks for four things:
//!
//! - **repeats**: the same prompt asked again *after* its answer came, or a prompt that only grows by another round of
//!   the same step. See [`Prompt`] for what "the same" is. Within ten seconds [`ROUNDS`] such steps, [`FAST`] asks that
//!   used [`FAST_TOKENS`], or [`CHEAP`] asks; or [`LONG`] asks within five minutes that used [`LONG_TOKENS`] and a
//!   hundredth of a usual day. And these make up six in ten of what the consumer asks, nine in ten where they are
//!   cheap: a reader of log lines meets the same line often. Samples of one prompt taken at the same time are one link
//!   of the row, a conversation and an agent that gets on are another prompt each time. Embeddings are not looked at: batches have
//!   duplicates, and they are cheap.
//! - **errors**: one prompt sent again [`RETRIES`] times within ten seconds, each time after it had failed, which no
//!   client library does by itself (three tries with pauses), and nine in ten of all it
//!   sends; or [`REFUSED`] requests that the target refused as wrong, two a second or faster and hardly any answered
//!   between them.
//! - **storm**: more exchanges open at once than [`STORM_FACTOR`] times the most this consumer ever had open, and no
//!   fewer than [`STORM_LEAST`]; without a history [`STORM_NEW`].
//! - **spike**: tokens, money or requests within ten seconds, a minute or five minutes that are far above the highest
//!   of the last seven days, *and* a share of a usual day that hurts, *and* out of several requests: one very long prompt
//!   is no runaway. Without a history the day's budget is the measure, if there is one.
//!
//! The numbers were chosen by replaying weeks of made-up traffic (`tests/runaway`) with other seeds than the tests
//! use: each stands at least a third away from the highest that normal traffic reached there.
//!
//! **Invariant:** nothing here ends a cut. A throttle ends by itself.

mod chains;
mod cycle;
mod history;
mod prompt;
mod rates;
mod scan;
mod signs;
mod spike;
mod throttle;
mod times;

pub use prompt::Prompt;
pub use signs::{
    CHEAP, FAST, FAST_TOKENS, LONG, LONG_TOKENS, REFUSED, RETRIES, ROUNDS, STORM_FACTOR,
    STORM_LEAST, STORM_NEW,
};
pub use throttle::Wait;

use chains::{Chains, Link, TICKS};
use history::History;
use net_model::{MicroDollars, Reaction, RunawayRules, TripKind, grouped};
use rates::Rates;
use std::time::Duration;
use throttle::Throttle;
use times::Times;

/// A finding is said again only when it was not to be seen for so long.
const QUIET: Duration = Duration::from_mins(5);

/// What may be spent in a day, where a budget says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DayBudget {
    /// In tokens.
    pub tokens: Option<u64>,
    /// In money.
    pub money: Option<MicroDollars>,
}

/// A request, as it begins.
#[derive(Clone, Copy, Debug)]
pub struct Begun {
    /// What is asked.
    pub prompt: Prompt,
    /// How long that is, as estimated, in tokens.
    pub tokens: u64,
    /// Whether a model shall write something; false for embeddings.
    pub generates: bool,
}

/// A request that is open. To be given back when it ends.
#[derive(Clone, Copy, Debug, Default)]
pub struct Opened {
    link: Link,
    counted: u64,
}

/// What came of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// An answer, or the beginning of one.
    Answered,
    /// The target refused it as wrong: asking the same again gives the same.
    Refused,
    /// No answer, for whatever other reason.
    Failed,
    /// The gateway itself refused or ended it: that says nothing of the consumer.
    NotLet,
}

/// Something was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub kind: TripKind,
    /// What is to be done about it.
    pub reaction: Reaction,
    /// The figures that decided, in words.
    pub figures: String,
    /// When it began, since the start of the watch's clock.
    pub since: Duration,
}

/// Follows one consumer. `now` is always the time since a fixed start.
#[derive(Clone, Debug)]
pub struct Watch {
    rules: RunawayRules,
    budget: DayBudget,
    chains: Chains,
    /// Those that ask a model to write.
    asked: Times,
    /// All of them.
    tried: Times,
    requests: Rates,
    tokens: Rates,
    money: Rates,
    history: History,
    open: u32,
    /// Refused in a row, and since when.
    refused: (u32, Duration),
    throttle: Throttle,
    /// When each kind was seen last.
    seen: [Option<Duration>; 4],
}

impl Watch {
    /// Of a consumer that has done nothing yet.
    #[must_use]
    pub fn new(rules: RunawayRules, budget: DayBudget) -> Self {
        Self {
            rules,
            budget,
            chains: Chains::default(),
            asked: Times::new(),
            tried: Times::new(),
            requests: Rates::new(),
            tokens: Rates::new(),
            money: Rates::new(),
            history: History::default(),
            open: 0,
            refused: (0, Duration::ZERO),
            throttle: Throttle::default(),
            seen: [None; 4],
        }
    }

    /// Holds to other rules; what was seen stays.
    pub fn hold_to(&mut self, rules: RunawayRules, budget: DayBudget) {
        if !rules_throttle(&rules) {
            self.throttle = Throttle::default();
        }
        (self.rules, self.budget) = (rules, budget);
    }

    /// Whether a request may begin: a throttled consumer has one open at a time, with a pause between.
    pub fn admit(&mut self, now: Duration) -> Result<(), Wait> {
        self.throttle.admit(self.open, now)
    }

    /// A request begins.
    pub fn begin(&mut self, begun: &Begun, now: Duration) -> (Opened, Option<Finding>) {
        self.turn(now);
        let tick = ticks(now);
        let link = self.chains.begin(begun.prompt.key(), tick);
        self.open = self.open.saturating_add(1);
        self.requests.add(1);
        self.tokens.add(begun.tokens);
        self.throttle.begun(now);
        self.tried.begin(tick);
        if begun.generates {
            self.asked.begin(tick);
        }
        let hour = &mut self.history.this_hour;
        hour.open = hour.open.max(self.open);
        hour.exchanges += 1;
        self.note();
        let opened = Opened {
            link,
            counted: begun.tokens,
        };
        let finding = begun
            .generates
            .then(|| self.repeats(begun.prompt, now))
            .flatten()
            .or_else(|| self.retries(begun.prompt, now))
            .or_else(|| self.storm(now))
            .or_else(|| self.spike(now));
        (opened, finding)
    }

    /// More of the answer has passed: `tokens` of the exchange so far, its prompt included.
    pub fn passed(&mut self, opened: &mut Opened, tokens: u64, now: Duration) -> Option<Finding> {
        self.turn(now);
        self.count(opened, tokens);
        self.spike(now)
    }

    /// A request has ended, with so many tokens in all, and what they cost where that is known.
    pub fn ended(
        &mut self,
        mut opened: Opened,
        outcome: Outcome,
        (tokens, cost): (u64, Option<MicroDollars>),
        now: Duration,
    ) -> Option<Finding> {
        self.turn(now);
        self.count(&mut opened, tokens);
        self.money.add(cost.unwrap_or_default().0);
        self.open = self.open.saturating_sub(1);
        self.throttle.ended(now);
        let hour = &mut self.history.this_hour;
        hour.all_tokens = hour.all_tokens.saturating_add(tokens);
        hour.all_money = hour.all_money.saturating_add(cost.unwrap_or_default().0);
        self.note();
        let wrong = match outcome {
            Outcome::Answered => {
                self.chains.answered(opened.link, tokens);
                self.answered_one();
                None
            }
            Outcome::Failed => {
                self.chains.failed(opened.link);
                if tokens == 0 {
                    // Else the retries of an outage would be the measure of what is usual.
                    self.requests.take_back(1);
                }
                None
            }
            Outcome::Refused => {
                self.chains.failed(opened.link);
                self.wrong(now)
            }
            Outcome::NotLet => {
                // Else whoever hammers at a closed door would pass for busy.
                self.requests.take_back(1);
                None
            }
        };
        wrong.or_else(|| self.spike(now))
    }

    /// Goes on to `now`.
    fn turn(&mut self, now: Duration) {
        let second = now.as_secs();
        self.requests.turn(second);
        self.tokens.turn(second);
        self.money.turn(second);
        self.history.turn(second / 3600);
    }

    /// What was estimated gives way to what is known.
    fn count(&mut self, opened: &mut Opened, tokens: u64) {
        if tokens >= opened.counted {
            self.tokens.add(tokens - opened.counted);
        } else {
            self.tokens.take_back(opened.counted - tokens);
        }
        opened.counted = tokens;
    }

    fn note(&mut self) {
        let hour = &mut self.history.this_hour;
        let sides = [
            (&mut hour.tokens, self.tokens.sums()),
            (&mut hour.money, self.money.sums()),
            (&mut hour.requests, self.requests.sums()),
        ];
        for (highest, sums) in sides {
            for (highest, sum) in highest.iter_mut().zip(sums) {
                *highest = sum.max(*highest);
            }
        }
    }

    /// Says what was found, unless it was said before and is still going on.
    fn found(
        &mut self,
        kind: TripKind,
        since: u32,
        now: Duration,
        figures: impl FnOnce(&str) -> String,
    ) -> Option<Finding> {
        let (at, reaction) = match kind {
            TripKind::Repeats => (0, self.rules.repeats),
            TripKind::Errors => (1, self.rules.errors),
            TripKind::Storm => (2, self.rules.storm),
            TripKind::Spike => (3, self.rules.spike),
            TripKind::Budget => return None,
        };
        let before = self.seen.get_mut(at)?.replace(now);
        let goes_on = before.is_some_and(|before| now.saturating_sub(before) < QUIET);
        if reaction == Reaction::Alert && goes_on {
            return None;
        }
        let figures = figures(&self.pace());
        let finding = Finding {
            kind,
            reaction,
            figures,
            since: Duration::from_millis(u64::from(since) * 1000 / u64::from(TICKS)),
        };
        if reaction != Reaction::Alert {
            self.act(&finding, now);
        }
        Some(finding)
    }

    /// After something was done about it, only what comes then counts.
    fn act(&mut self, finding: &Finding, now: Duration) {
        if finding.reaction == Reaction::Throttle {
            self.throttle.begin(finding, now);
        }
        self.chains.forget();
        self.refused.0 = 0;
        for rates in [&mut self.requests, &mut self.tokens, &mut self.money] {
            *rates = Rates::new();
        }
        self.turn(now);
    }

    /// Tokens a minute now against the most ever, in words.
    fn pace(&self) -> String {
        let [ten, minute, _] = self.tokens.sums();
        let now = minute.max(ten.saturating_mul(6));
        let most = self.history.usual().map(|usual| usual.reached().tokens);
        most.map_or_else(
            || format!(", {} tokens/min", grouped(now)),
            |[_, most, _]| {
                format!(
                    ", {} tokens/min against at most {} before",
                    grouped(now),
                    grouped(most)
                )
            },
        )
    }
}

fn rules_throttle(rules: &RunawayRules) -> bool {
    rules.reactions().contains(&Reaction::Throttle)
}

fn ticks(now: Duration) -> u32 {
    u32::try_from(now.as_millis() * u128::from(TICKS) / 1000).unwrap_or(u32::MAX)
}
