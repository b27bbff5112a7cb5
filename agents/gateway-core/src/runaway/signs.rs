//! What a runaway shows itself by, apart from how much it spends.

use super::{Finding, Prompt, Watch, chains::TICKS, history::Usual, ticks};
use net_model::{Reaction, TripKind, grouped};
use std::time::Duration;

/// Asks of one prompt in a row within ten seconds that are a loop, when they have used [`FAST_TOKENS`].
pub const FAST: u32 = 5;
/// Tokens that such a row must have used.
pub const FAST_TOKENS: u64 = 5000;
/// The same of prompts that are cheap: short ones are the same by chance at times.
pub const CHEAP: u32 = 8;
/// The same of a prompt that grows by the same step, whatever it uses.
pub const ROUNDS: u32 = 4;
/// Asks of one prompt in a row within five minutes that are a loop when they cost enough.
pub const LONG: u32 = 16;
/// Tokens that such a row must have used.
pub const LONG_TOKENS: u64 = 100_000;
/// Tries of one prompt in a row of failures within ten seconds that are a loop.
pub const RETRIES: u32 = 15;
/// Requests that were refused as wrong, nearly in a row.
pub const REFUSED: u32 = 40;
/// As many refused requests as one answer makes up for.
const ANSWER_WEIGHS: u32 = 4;
/// Open exchanges against the most ever.
pub const STORM_FACTOR: u32 = 4;
/// Fewer open exchanges than these are never a storm.
pub const STORM_LEAST: u32 = 32;
/// Open exchanges that are a storm for a consumer without history.
pub const STORM_NEW: u32 = 128;

const FAST_SPAN: u32 = 10 * TICKS;
const LONG_SPAN: u32 = 300 * TICKS;
/// Of what is asked, tenths that must be the one prompt.
const SHARE: u32 = 6;
/// The same where the prompts are cheap, or fail.
const CHEAP_SHARE: u32 = 9;

impl Watch {
    pub(super) fn repeats(&mut self, prompt: Prompt, now: Duration) -> Option<Finding> {
        if self.rules.repeats == Reaction::Off {
            return None;
        }
        let tick = ticks(now);
        let key = prompt.key();
        let (times, since, used) = self.chains.repeats(key, FAST_SPAN, tick);
        let dear = prompt.goes_round() && times >= ROUNDS || times >= FAST && used >= FAST_TOKENS;
        let fast = dear && self.asked.are_mostly(times, SHARE, since)
            || times >= CHEAP && self.asked.are_mostly(times, CHEAP_SHARE, since);
        let (times, since, used) = if fast {
            (times, since, used)
        } else {
            let (times, since, used) = self.chains.repeats(key, LONG_SPAN, tick);
            let hundredth = self.history.usual().map_or(0, Usual::day_tokens) / 100;
            let long = times >= LONG && used >= LONG_TOKENS.max(hundredth);
            if !long || !self.asked.are_mostly(times, SHARE, since) {
                return None;
            }
            (times, since, used)
        };
        let how = if prompt.goes_round() {
            "prompts that only grow by the same step"
        } else {
            "identical prompts"
        };
        let spent = spent(used);
        self.found(TripKind::Repeats, since, now, |pace| {
            format!("{times} {how} in {} s{spent}{pace}", seconds(since, tick))
        })
    }

    pub(super) fn retries(&mut self, prompt: Prompt, now: Duration) -> Option<Finding> {
        let tick = ticks(now);
        let (times, since) = self.chains.retries(prompt.key(), FAST_SPAN, tick);
        let many = times >= RETRIES && self.tried.are_mostly(times, CHEAP_SHARE, since);
        if self.rules.errors == Reaction::Off || !many {
            return None;
        }
        self.found(TripKind::Errors, since, now, |_| {
            format!(
                "one prompt sent {times} times in {} s, failing each time",
                seconds(since, tick)
            )
        })
    }

    /// One was answered: those refused before it count for less.
    pub(super) fn answered_one(&mut self) {
        self.refused.0 = self.refused.0.saturating_sub(ANSWER_WEIGHS);
    }

    /// One more refused as wrong, two a second or faster.
    pub(super) fn wrong(&mut self, now: Duration) -> Option<Finding> {
        if self.refused.0 == 0 {
            self.refused.1 = now;
        }
        self.refused.0 = self.refused.0.saturating_add(1);
        let (times, since) = self.refused;
        let took = now.saturating_sub(since);
        let slow = took.as_secs() > u64::from(times / 2);
        if slow {
            self.refused.0 = 0;
        }
        if self.rules.errors == Reaction::Off || times < REFUSED || slow {
            return None;
        }
        let since = ticks(since);
        self.found(TripKind::Errors, since, now, |_| {
            format!(
                "{times} requests in {} s, each refused as wrong",
                seconds(since, ticks(now))
            )
        })
    }

    pub(super) fn storm(&mut self, now: Duration) -> Option<Finding> {
        let most = self.history.usual().map(|usual| usual.reached().open);
        let bound = most.map_or(STORM_NEW, |most| {
            most.saturating_mul(STORM_FACTOR).max(STORM_LEAST)
        });
        if self.rules.storm == Reaction::Off || self.open < bound {
            return None;
        }
        let open = self.open;
        let before = most.map_or_else(String::new, |most| {
            format!(" against at most {most} before")
        });
        self.found(TripKind::Storm, ticks(now), now, |_| {
            format!("{open} requests open at once{before}")
        })
    }
}

/// From one tick to another, in whole seconds, at least one.
fn seconds(since: u32, now: u32) -> u32 {
    now.saturating_sub(since).div_ceil(TICKS).max(1)
}

fn spent(tokens: u64) -> String {
    if tokens == 0 {
        String::new()
    } else {
        format!(", {} tokens spent on them", grouped(tokens))
    }
}
