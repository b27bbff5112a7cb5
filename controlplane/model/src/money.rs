//! Money: whole millionths of a US dollar, so that sums are exact.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Millionths of a US dollar.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct MicroDollars(pub u64);

/// The text is no amount of money.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an amount in US dollars, such as 2.50 or 0.000015")]
pub struct NotMoney(String);

impl MicroDollars {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// The sum; at the end of the scale it stays there.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference, nothing below nothing.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for MicroDollars {
    /// At least two decimals, at most six: `2.50`, `0.000015`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 1_000_000, self.0 % 1_000_000);
        let digits = format!("{rest:06}");
        let kept = digits.trim_end_matches('0').len().max(2);
        write!(f, "{whole}.{}", digits.get(..kept).unwrap_or(&digits))
    }
}

impl FromStr for MicroDollars {
    type Err = NotMoney;

    /// Reads dollars with at most six decimals: `2.50`, `$2`, `0.000015 USD`.
    fn from_str(text: &str) -> Result<Self, NotMoney> {
        let wrong = || NotMoney(text.chars().take(40).collect());
        let bare = text.trim().trim_start_matches('$').trim_end_matches("USD");
        let bare = bare.trim();
        let (whole, rest) = bare.split_once('.').unwrap_or((bare, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(rest) || rest.len() > 6 {
            return Err(wrong());
        }
        let whole: u64 = whole.parse().map_err(|_| wrong())?;
        let rest: u64 = format!("{rest:0<6}").parse().map_err(|_| wrong())?;
        let sum = whole
            .checked_mul(1_000_000)
            .and_then(|whole| whole.checked_add(rest));
        sum.map(Self).ok_or_else(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars_are_read_and_shown_exactly() {
        for (text, micro, shown) in [
            ("2.50", 2_500_000, "2.50"),
            ("$2", 2_000_000, "2.00"),
            ("0.000015 USD", 15, "0.000015"),
            ("1.234560", 1_234_560, "1.23456"),
        ] {
            let money: MicroDollars = text.parse().unwrap();
            assert_eq!((money.0, money.to_string().as_str()), (micro, shown));
        }
        for wrong in [
            "",
            "-1",
            "1e3",
            "1.0000001",
            ".5",
            "99999999999999999999",
            "1,5",
        ] {
            assert!(wrong.parse::<MicroDollars>().is_err(), "{wrong}");
        }
    }
}
