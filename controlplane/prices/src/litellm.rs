//! Reads LiteLLM's table of prices, dollars a token, as its releases and its repository hold it.
//!
//! Source of the form: <https://github.com/BerriAI/litellm/blob/main/model_prices_and_context_window.json>.

use crate::{
    NotPrices,
    price::{Above, Price, Rates, Sound},
};
use net_model::MicroDollars;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Prompt lengths above which that table knows other rates, in thousands of tokens.
const TIERS: [u64; 3] = [128, 200, 272];
/// Decimals of a dollar a token that are kept: a micro-dollar a million tokens.
const DECIMALS: i32 = 12;

/// One entry; numbers stay text, since a fraction in binary would not be the published price.
type Entry<'a> = BTreeMap<&'a str, &'a RawValue>;

/// Every model of the table that is sold by the token. What is finer than a micro-dollar a million tokens is
/// rounded up; zero stands there for what is not known, so a model that costs nothing is left out.
pub fn from_litellm(json: &str) -> Result<BTreeMap<String, Price>, NotPrices> {
    let table: BTreeMap<String, &RawValue> = serde_json::from_str(json)?;
    let mut models = BTreeMap::new();
    for (model, entry) in table {
        let entry: Entry<'_> = serde_json::from_str(entry.get())?;
        if let Some(price) = price_of(&entry) {
            models.insert(model, price);
        }
    }
    Ok(models)
}

fn price_of(entry: &Entry<'_>) -> Option<Price> {
    let rates = rates(entry, "", None)?;
    let embeds = entry
        .get("mode")
        .is_some_and(|mode| mode.get() == r#""embedding""#);
    if rates.input == MicroDollars::ZERO || (rates.output == MicroDollars::ZERO && !embeds) {
        return None;
    }
    let above = TIERS.iter().find_map(|tier| {
        let suffix = format!("_above_{tier}k_tokens");
        let known = |key: &str| rate(entry, key, &suffix).is_some();
        (known("input_cost_per_token") || known("output_cost_per_token")).then_some(())?;
        Some(Above {
            tokens: tier * 1000,
            rates: self::rates(entry, &suffix, Some(&rates))?,
        })
    });
    Some(Price {
        rates,
        above,
        sound: sound(entry, &rates),
    })
}

/// What the model hears and speaks, where that is sold at another price than text.
fn sound(entry: &Entry<'_>, text: &Rates) -> Option<Sound> {
    let some = |key: &str| rate(entry, key, "").filter(|rate| *rate > MicroDollars::ZERO);
    let sound = Sound {
        input: some("input_cost_per_audio_token").unwrap_or(text.input),
        output: some("output_cost_per_audio_token").unwrap_or(text.output),
        cached: some("cache_read_input_audio_token_cost"),
    };
    let differs =
        sound.input != text.input || sound.output != text.output || sound.cached.is_some();
    differs.then_some(sound)
}

fn rates(entry: &Entry<'_>, suffix: &str, otherwise: Option<&Rates>) -> Option<Rates> {
    let some = |key: &str| rate(entry, key, suffix).filter(|rate| *rate > MicroDollars::ZERO);
    Some(Rates {
        input: rate(entry, "input_cost_per_token", suffix).or(otherwise.map(|it| it.input))?,
        output: rate(entry, "output_cost_per_token", suffix).or(otherwise.map(|it| it.output))?,
        cached: some("cache_read_input_token_cost"),
        cache_write: some("cache_creation_input_token_cost"),
        cache_write_hour: some("cache_creation_input_token_cost_above_1hr"),
    })
}

fn rate(entry: &Entry<'_>, key: &str, suffix: &str) -> Option<MicroDollars> {
    let text = entry.get(format!("{key}{suffix}").as_str())?.get();
    picodollars(text).map(MicroDollars)
}

/// `1.25e-06` dollars a token, as whole picodollars, rounded up.
fn picodollars(text: &str) -> Option<u64> {
    let (number, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, rest) = number.split_once('.').unwrap_or((number, ""));
    let digits = format!("{whole}{rest}");
    if digits.len() > 30 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits: u128 = digits.parse().ok()?;
    let exponent: i32 = exponent.parse().ok()?;
    let shift = exponent.checked_sub(i32::try_from(rest.len()).ok()?)?;
    let shift = shift.checked_add(DECIMALS)?;
    let power = |shift: u32| 10_u128.checked_pow(shift);
    let scaled = if shift >= 0 {
        digits.checked_mul(power(shift.unsigned_abs())?)?
    } else {
        // Far below the scale is still more than nothing.
        power(shift.unsigned_abs()).map_or(u128::from(digits > 0), |by| digits.div_ceil(by))
    };
    u64::try_from(scaled).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_a_token_are_read_exactly() {
        for (text, expected) in [
            ("1.25e-06", Some(1_250_000)),
            ("3E-06", Some(3_000_000)),
            ("0.000015", Some(15_000_000)),
            ("2e-08", Some(20_000)),
            ("0.0", Some(0)),
            ("0", Some(0)),
            ("2.9999900000000002e-06", Some(2_999_991)),
            ("1e-99", Some(1)),
            ("-1", None),
            ("\"1\"", None),
            ("null", None),
            ("1e999999999999", None),
            ("1e30", None),
        ] {
            assert_eq!(picodollars(text), expected, "{text}");
        }
    }

    #[test]
    fn entries_of_the_table_become_prices_and_the_free_ones_stay_unknown() {
        let table = r#"{
            "sample_spec": {"mode": "one of: chat", "input_cost_per_token": 0.0, "output_cost_per_token": 0.0},
            "gemini-2.5-pro": {"mode": "chat", "input_cost_per_token": 1.25e-06, "output_cost_per_token": 1e-05,
              "cache_read_input_token_cost": 1.25e-07, "input_cost_per_token_above_200k_tokens": 2.5e-06,
              "search_context_cost_per_query": {"search_context_size_low": 0.035}},
            "embed": {"mode": "embedding", "input_cost_per_token": 2e-08, "output_cost_per_token": 0.0},
            "gpt-realtime": {"mode": "realtime", "input_cost_per_token": 4e-06, "output_cost_per_token": 1.6e-05,
              "input_cost_per_audio_token": 3.2e-05, "output_cost_per_audio_token": 6.4e-05},
            "free": {"mode": "chat", "input_cost_per_token": 0, "output_cost_per_token": 0},
            "pictures": {"mode": "image_generation", "output_cost_per_image": 0.04}
        }"#;
        let models = from_litellm(table).unwrap();
        assert_eq!(
            models.keys().collect::<Vec<_>>(),
            ["embed", "gemini-2.5-pro", "gpt-realtime"]
        );
        let spoken = models["gpt-realtime"].sound.unwrap();
        assert_eq!((spoken.input.0, spoken.output.0), (32_000_000, 64_000_000));
        let pro = models["gemini-2.5-pro"];
        assert_eq!(pro.sound, None);
        assert_eq!(pro.rates.cached, Some(MicroDollars(125_000)));
        let above = pro.above.unwrap();
        assert_eq!((above.tokens, above.rates.input.0), (200_000, 2_500_000));
        assert_eq!(above.rates.output, pro.rates.output);
        assert!(from_litellm("[]").is_err() && from_litellm(r#"{"m": 1}"#).is_err());
    }
}
