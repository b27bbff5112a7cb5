//! How many tokens text has, by what the same model's server counted before.
//!
//! Measured before it was chosen: one vocabulary (`o200k`) held in memory costs 46 MB with one library and 67 MB with
//! another, 0.6 s and 0.1 s to load, and is one vendor's. What a server said of its own model holds for any vocabulary,
//! and includes the words it puts around a prompt. Until it said something, a delta of a stream counts as a token, as
//! local servers send them, unless the deltas are too long for that; four bytes do elsewhere (English text had 3.7 to
//! 3.9, Rust 4.3).

use std::collections::BTreeMap;

/// Bytes of English and of most code that make a token in common vocabularies.
const BYTES: u64 = 4;
/// Deltas longer than this on average hold several tokens each.
const LONG_DELTA: u64 = 7;
/// Models that are remembered; beyond, the one met least goes.
const MOST: usize = 512;
/// Tokens after which older experience counts half.
const FADES_AT: u64 = 1 << 20;
/// A figure that is this many times what the text makes likely, or this small a part of it, teaches nothing.
const UNLIKELY: u64 = 16;

/// What one exchange taught.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Bytes of the prompt's words.
    pub prompt_bytes: u64,
    /// Tokens its server counted for it.
    pub prompt: u64,
    /// Deltas of the answer; none when it did not stream.
    pub deltas: u64,
    /// Bytes of the answer's words.
    pub bytes: u64,
    /// Tokens its server counted for them.
    pub completion: u64,
}

/// What to expect of one model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Yardstick {
    prompt: Ratio,
    by_delta: Ratio,
    by_byte: Ratio,
}

/// Tokens for an amount.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Ratio {
    tokens: u64,
    amount: u64,
}

impl Ratio {
    fn of(self, amount: u64) -> Option<u64> {
        let tokens = u128::from(amount) * u128::from(self.tokens);
        // To the nearest: a bias would add up over many exchanges.
        let half = u128::from(self.amount / 2);
        let tokens = (tokens + half).checked_div(u128::from(self.amount))?;
        u64::try_from(tokens).ok()
    }

    fn learn(&mut self, tokens: u64, amount: u64, likely: u64) {
        let likely = likely.max(1);
        let high = tokens > likely.saturating_mul(UNLIKELY);
        if amount == 0 || tokens == 0 || high || tokens < likely / UNLIKELY {
            return;
        }
        if self.tokens > FADES_AT || self.amount > FADES_AT * BYTES {
            self.tokens /= 2;
            self.amount /= 2;
        }
        self.tokens = self.tokens.saturating_add(tokens);
        self.amount = self.amount.saturating_add(amount);
    }
}

impl Yardstick {
    /// Tokens of a prompt with so many bytes of words.
    #[must_use]
    pub fn prompt(&self, bytes: u64) -> u64 {
        self.prompt.of(bytes).unwrap_or(bytes.div_ceil(BYTES))
    }

    /// Tokens of an answer with so many deltas and bytes of words.
    #[must_use]
    pub fn completion(&self, deltas: u64, bytes: u64) -> u64 {
        let ratio = |ratio: Ratio, amount: u64| (amount > 0).then(|| ratio.of(amount)).flatten();
        let by_delta = || ratio(self.by_delta, deltas);
        let by_byte = || ratio(self.by_byte, bytes);
        let learned = if self.sends_tokens() {
            by_delta().or_else(by_byte)
        } else {
            by_byte()
        };
        learned.unwrap_or_else(|| likely(deltas, bytes))
    }

    /// Whether each delta of this server is a token, within a tenth.
    fn sends_tokens(&self) -> bool {
        let Ratio { tokens, amount } = self.by_delta;
        tokens.abs_diff(amount) <= amount / 10
    }

    fn learn(&mut self, seen: &Seen) {
        self.prompt.learn(
            seen.prompt,
            seen.prompt_bytes,
            seen.prompt_bytes.div_ceil(BYTES),
        );
        let likely = likely(seen.deltas, seen.bytes);
        self.by_delta.learn(seen.completion, seen.deltas, likely);
        self.by_byte.learn(seen.completion, seen.bytes, likely);
    }
}

fn likely(deltas: u64, bytes: u64) -> u64 {
    if bytes <= deltas.saturating_mul(LONG_DELTA) {
        deltas
    } else {
        bytes.div_ceil(BYTES)
    }
}

/// What was learned of all models. In memory alone: the first answers after a start teach it again.
#[derive(Clone, Debug, Default)]
pub struct Yardsticks {
    known: BTreeMap<String, Models>,
    models: usize,
}

/// The models of one target.
#[derive(Clone, Debug, Default)]
struct Models {
    /// What all of them taught together: for one that said nothing yet.
    together: Yardstick,
    /// Each, and how often it was met.
    each: BTreeMap<String, (Yardstick, u64)>,
}

impl Yardsticks {
    /// What to expect of `model` at `target`.
    #[must_use]
    pub fn of(&self, target: &str, model: &str) -> Yardstick {
        let Some(models) = self.known.get(target) else {
            return Yardstick::default();
        };
        let own = models.each.get(model).map(|(yardstick, _)| *yardstick);
        own.unwrap_or(models.together)
    }

    /// Takes in what `model` at `target` taught.
    pub fn learn(&mut self, target: &str, model: &str, seen: &Seen) {
        let known = self.known.get(target);
        if known.is_none_or(|models| !models.each.contains_key(model)) && self.models >= MOST {
            self.forget_one();
        }
        let models = self.known.entry(target.to_owned()).or_default();
        models.together.learn(seen);
        let (yardstick, met) = models.each.entry(model.to_owned()).or_insert_with(|| {
            self.models += 1;
            (Yardstick::default(), 0)
        });
        yardstick.learn(seen);
        *met = met.saturating_add(1);
    }

    fn forget_one(&mut self) {
        let all = self.known.iter().flat_map(|(target, models)| {
            let each = models.each.iter();
            each.map(move |(model, (_, met))| (*met, target, model))
        });
        let least = all
            .min()
            .map(|(_, target, model)| (target.clone(), model.clone()));
        let Some((target, model)) = least else {
            return;
        };
        if let Some(models) = self.known.get_mut(&target) {
            models.each.remove(&model);
            self.models = self.models.saturating_sub(1);
        }
        self.known.retain(|_, models| !models.each.is_empty());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(prompt: u64, deltas: u64, bytes: u64, completion: u64) -> Seen {
        Seen {
            prompt_bytes: 100,
            prompt,
            deltas,
            bytes,
            completion,
        }
    }

    #[test]
    fn without_experience_a_delta_is_a_token_unless_deltas_are_long() {
        let new = Yardstick::default();
        assert_eq!(new.prompt(9), 3);
        assert_eq!(new.completion(10, 45), 10);
        assert_eq!(new.completion(10, 400), 100);
        assert_eq!(new.completion(0, 10), 3);
        assert_eq!(new.completion(0, 0), 0);
    }

    #[test]
    fn experience_goes_before_the_rule() {
        let mut known = Yardsticks::default();
        known.learn("cloud", "m", &seen(50, 10, 600, 200));
        let yardstick = known.of("cloud", "m");
        assert_eq!((yardstick.prompt(10), yardstick.completion(3, 90)), (5, 30));
        // Another model of that server most likely counts alike; another server need not.
        assert_eq!(known.of("cloud", "other"), yardstick);
        assert_eq!(known.of("home", "m"), Yardstick::default());
        known.learn("home", "m", &seen(25, 20, 90, 20));
        // One token a delta: 2 deltas of 30 bytes are 2 tokens there.
        assert_eq!(known.of("home", "m").completion(2, 30), 2);
    }

    #[test]
    fn a_liar_teaches_nothing() {
        let mut known = Yardsticks::default();
        known.learn("home", "m", &seen(7_000_000, 6, 18, 9_000_000));
        assert_eq!(known.of("home", "m"), Yardstick::default());
        known.learn("home", "m", &seen(0, 0, 0, 0));
        assert_eq!(known.of("home", "m"), Yardstick::default());
    }

    #[test]
    fn what_is_remembered_stays_bounded_and_keeps_who_comes_often() {
        let mut known = Yardsticks::default();
        for _ in 0..3 {
            known.learn("home", "often", &seen(20, 5, 20, 5));
        }
        for at in 0..2 * MOST {
            known.learn("home", &format!("model {at}"), &seen(20, 5, 20, 5));
        }
        assert_eq!(
            known
                .known
                .values()
                .map(|models| models.each.len())
                .sum::<usize>(),
            MOST
        );
        assert_ne!(known.of("home", "often"), Yardstick::default());
    }

    #[test]
    fn newer_experience_outweighs_what_is_long_gone() {
        let mut known = Yardsticks::default();
        for _ in 0..100 {
            known.learn("home", "m", &seen(20, 0, 100_000, 50_000));
        }
        for _ in 0..100 {
            known.learn("home", "m", &seen(20, 0, 100_000, 25_000));
        }
        let tokens = known.of("home", "m").completion(0, 100_000);
        assert!(tokens.abs_diff(25_000) < 500, "{tokens}");
    }
}
