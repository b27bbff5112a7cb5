//! What one model costs.

use net_model::{MicroDollars, Tokens};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// Tokens that a rate is for.
const A_MILLION: u64 = 1_000_000;

/// Rates in micro-dollars a million tokens; written as dollars a million tokens, such as `"2.50"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rates {
    /// Of the prompt.
    #[serde(with = "dollars")]
    pub input: MicroDollars,
    /// Of the answer, reasoning included.
    #[serde(with = "dollars")]
    pub output: MicroDollars,
    /// Of the part of the prompt that was read from a cache; as the prompt when not given.
    #[serde(
        with = "some_dollars",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub cached: Option<MicroDollars>,
    /// Of the part of the prompt that was put into a cache; as the prompt when not given.
    #[serde(
        with = "some_dollars",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub cache_write: Option<MicroDollars>,
    /// The same for a cache that holds an hour; as the shorter one when not given.
    #[serde(
        with = "some_dollars",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub cache_write_hour: Option<MicroDollars>,
}

/// Rates of what a model hears and speaks, where it is sold at another price than text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sound {
    /// Of what it hears.
    #[serde(with = "dollars")]
    pub input: MicroDollars,
    /// Of what it speaks.
    #[serde(with = "dollars")]
    pub output: MicroDollars,
    /// Of the part of what it hears that was read from a cache; as text from a cache when not given.
    #[serde(
        with = "some_dollars",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub cached: Option<MicroDollars>,
}

/// What one model costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// As a rule.
    #[serde(flatten)]
    pub rates: Rates,
    /// For long prompts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<Above>,
    /// For sound; as text when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sound: Option<Sound>,
}

/// Other rates for the whole exchange when its prompt is long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Above {
    /// A prompt of more tokens than this.
    pub tokens: u64,
    /// Then.
    #[serde(flatten)]
    pub rates: Rates,
}

impl Rates {
    /// Rates of prompt and answer alone.
    #[must_use]
    pub const fn new(input: MicroDollars, output: MicroDollars) -> Self {
        Self {
            input,
            output,
            cached: None,
            cache_write: None,
            cache_write_hour: None,
        }
    }

    fn cost(&self, tokens: &Tokens, sound: Option<&Sound>) -> MicroDollars {
        // Upstream figures may disagree with themselves: parts of the prompt never exceed it.
        let cached = tokens.cached.min(tokens.prompt);
        let written = tokens.cache_written.min(tokens.prompt - cached);
        let for_an_hour = tokens.cache_written_hour.min(written);
        let write = self.cache_write.unwrap_or(self.input);
        let fresh = tokens.prompt - cached - written;
        let heard_cached = tokens.heard_cached.min(cached);
        let heard = tokens.heard.saturating_sub(heard_cached).min(fresh);
        let spoken = tokens.spoken.min(tokens.completion);
        let from_cache = self.cached.unwrap_or(self.input);
        let sound_from_cache = |it: &Sound| it.cached.or(self.cached).unwrap_or(it.input);
        let parts = [
            (fresh - heard, self.input),
            (heard, sound.map_or(self.input, |it| it.input)),
            (cached - heard_cached, from_cache),
            (heard_cached, sound.map_or(from_cache, sound_from_cache)),
            (written - for_an_hour, write),
            (for_an_hour, self.cache_write_hour.unwrap_or(write)),
            (tokens.completion - spoken, self.output),
            (spoken, sound.map_or(self.output, |it| it.output)),
        ];
        let sum = parts
            .iter()
            .map(|(tokens, rate)| u128::from(*tokens) * u128::from(rate.0))
            .fold(0, u128::saturating_add);
        // What any exchange comes to fits; a division of 128 bits takes many times as long.
        let cost = u64::try_from(sum).map_or_else(
            |_| u64::try_from(sum.div_ceil(u128::from(A_MILLION))).unwrap_or(u64::MAX),
            |sum| sum.div_ceil(A_MILLION),
        );
        MicroDollars(cost)
    }
}

impl Price {
    /// What runs in the house is paid for already.
    pub const FREE: Self = Self::flat(Rates::new(MicroDollars::ZERO, MicroDollars::ZERO));

    /// A price that is the same for any length.
    #[must_use]
    pub const fn flat(rates: Rates) -> Self {
        Self {
            rates,
            above: None,
            sound: None,
        }
    }

    /// What an exchange comes to, rounded up once.
    #[must_use]
    pub fn cost(&self, tokens: &Tokens) -> MicroDollars {
        match &self.above {
            Some(above) if tokens.prompt > above.tokens => {
                above.rates.cost(tokens, self.sound.as_ref())
            }
            _ => self.rates.cost(tokens, self.sound.as_ref()),
        }
    }
}

/// Rates are written as dollars, so that a person can check them against a price list.
mod dollars {
    use super::{Deserialize as _, Deserializer, Error as _, MicroDollars, Serializer};

    pub(super) fn serialize<S: Serializer>(
        amount: &MicroDollars,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_str(amount)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<MicroDollars, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

mod some_dollars {
    use super::{Deserialize as _, Deserializer, Error as _, MicroDollars, Serializer};

    #[expect(clippy::ref_option, reason = "serde hands it over so")]
    pub(super) fn serialize<S: Serializer>(
        amount: &Option<MicroDollars>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        match amount {
            Some(amount) => to.collect_str(amount),
            None => to.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<MicroDollars>, D::Error> {
        let text = Option::<String>::deserialize(from)?;
        text.map(|text| text.parse().map_err(D::Error::custom))
            .transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOLLAR: u64 = 1_000_000;

    fn tokens(prompt: u64, completion: u64) -> Tokens {
        Tokens {
            prompt,
            completion,
            ..Tokens::default()
        }
    }

    #[test]
    fn a_sum_is_exact_and_rounded_up_once() {
        let rates = Rates::new(MicroDollars(37_500), MicroDollars(150_000));
        let price = Price::flat(rates);
        assert_eq!(price.cost(&tokens(0, 0)), MicroDollars::ZERO);
        assert_eq!(price.cost(&tokens(1, 0)), MicroDollars(1));
        // 0.0375 + 0.15 micro-dollars a token: 1000 of each are 187.5.
        assert_eq!(price.cost(&tokens(1000, 1000)), MicroDollars(188));
        assert_eq!(
            price.cost(&tokens(u64::MAX, u64::MAX)).0,
            3_458_764_513_820_540_928
        );
    }

    #[test]
    fn cached_parts_have_their_own_rates() {
        let mut rates = Rates::new(MicroDollars(3 * DOLLAR), MicroDollars(15 * DOLLAR));
        rates.cached = Some(MicroDollars(300_000));
        rates.cache_write = Some(MicroDollars(3_750_000));
        rates.cache_write_hour = Some(MicroDollars(6 * DOLLAR));
        let price = Price::flat(rates);
        let used = Tokens {
            cached: 500_000,
            cache_written: 300_000,
            cache_written_hour: 100_000,
            ..tokens(1_000_000, 10_000)
        };
        // 0.2 x 3 + 0.5 x 0.30 + 0.2 x 3.75 + 0.1 x 6 + 0.01 x 15
        assert_eq!(price.cost(&used), MicroDollars(2_250_000));
        let more_cached_than_there_was = Tokens {
            cached: 9,
            cache_written: 9,
            ..tokens(2, 0)
        };
        assert_eq!(price.cost(&more_cached_than_there_was), MicroDollars(1));
    }

    #[test]
    fn sound_has_rates_of_its_own() {
        let mut rates = Rates::new(MicroDollars(4 * DOLLAR), MicroDollars(16 * DOLLAR));
        rates.cached = Some(MicroDollars(400_000));
        let used = Tokens {
            cached: 300_000,
            heard: 500_000,
            heard_cached: 200_000,
            spoken: 90_000,
            ..tokens(1_000_000, 100_000)
        };
        let mut price = Price::flat(rates);
        // 0.7 x 4 + 0.3 x 0.40 + 0.1 x 16
        assert_eq!(price.cost(&used), MicroDollars(4_520_000));
        price.sound = Some(Sound {
            input: MicroDollars(32 * DOLLAR),
            output: MicroDollars(64 * DOLLAR),
            cached: None,
        });
        // 0.4 x 4 + 0.3 x 32 + 0.3 x 0.40 + 0.01 x 16 + 0.09 x 64
        assert_eq!(price.cost(&used), MicroDollars(17_240_000));
        let more_sound_than_there_was = Tokens {
            heard: 9,
            heard_cached: 9,
            spoken: 9,
            ..tokens(1, 1)
        };
        assert_eq!(price.cost(&more_sound_than_there_was), MicroDollars(96));
    }

    #[test]
    fn a_long_prompt_is_charged_as_such_from_the_first_token() {
        let dear = Rates::new(MicroDollars(2 * DOLLAR), MicroDollars(DOLLAR));
        let price = Price {
            rates: Rates::new(MicroDollars(DOLLAR), MicroDollars(DOLLAR)),
            above: Some(Above {
                tokens: 200_000,
                rates: dear,
            }),
            sound: None,
        };
        assert_eq!(price.cost(&tokens(200_000, 0)), MicroDollars(200_000));
        assert_eq!(price.cost(&tokens(200_001, 0)), MicroDollars(400_002));
    }
}
