//! Figures as others write them: numbers, numbers in quotes, and nothing at all.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Most that a figure is believed: beyond it no sum of the ledger can be wrong by it (10^12).
const MOST: f64 = 1e12;

/// A figure that may stand as a number or in quotes. What is neither, negative or absurd is none.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Figure(Option<f64>);

impl Figure {
    /// As it stands.
    pub(crate) const fn get(self) -> Option<f64> {
        self.0
    }

    /// Whole, with nothing for none.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between nothing and 10^12, as it was read"
    )]
    pub(crate) fn whole(self) -> u64 {
        self.0.map_or(0, |figure| figure as u64)
    }

    /// Milliseconds as seconds.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a date in milliseconds has 41 bits"
    )]
    pub(crate) fn of_ms(ms: u64) -> Self {
        Self(Some(ms as f64 / 1000.0))
    }

    /// Seconds as whole milliseconds.
    pub(crate) fn ms(self) -> Option<u64> {
        self.0.map(|seconds| Self(Some(seconds * 1000.0)).whole())
    }
}

impl<'de> Deserialize<'de> for Figure {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let figure = match Value::deserialize(from)? {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.trim().parse().ok(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        };
        Ok(Self(figure.filter(|it| (0.0..=MOST).contains(it))))
    }
}

/// A text, or nothing where something else stands.
pub(crate) fn text<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::String(text) => text,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            String::new()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_figure_is_none() {
        for (text, wanted) in [
            ("12", Some(12.0)),
            ("12.5", Some(12.5)),
            ("\"12\"", Some(12.0)),
            ("-1", None),
            ("1e300", None),
            ("\"NaN\"", None),
            ("\"inf\"", None),
            ("null", None),
            ("[1]", None),
            ("\"-\"", None),
        ] {
            let figure: Figure = serde_json::from_str(text).unwrap();
            assert_eq!(figure.get(), wanted, "{text}");
        }
    }
}
