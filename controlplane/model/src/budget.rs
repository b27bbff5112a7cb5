//! How a budget stands, as those who look on see it.

use crate::{money::MicroDollars, rules::Window};
use kill_wire::{Name, Timestamp};
use serde::{Deserialize, Serialize};

/// What a budget counts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BudgetUnit {
    /// Tokens of prompts and answers.
    Tokens,
    /// Micro-dollars.
    Money,
}

impl BudgetUnit {
    /// As it stands in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tokens => "tokens",
            Self::Money => "microdollars",
        }
    }

    /// An amount as people read it: `10,240 tokens`, `2.53 USD`.
    #[must_use]
    pub fn say(self, amount: u64) -> String {
        let unit = match self {
            Self::Tokens => "tokens",
            Self::Money => "USD",
        };
        format!("{} {unit}", self.bare(amount))
    }

    /// The same without the unit.
    #[must_use]
    pub fn bare(self, amount: u64) -> String {
        match self {
            Self::Tokens => grouped(amount),
            Self::Money => MicroDollars(amount).to_string(),
        }
    }
}

/// A number as people read it: `18,300`.
#[must_use]
pub fn grouped(amount: u64) -> String {
    let digits = amount.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// How one amount of one budget stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BudgetView {
    /// The budget.
    pub name: Name,
    /// Which of its amounts.
    pub unit: BudgetUnit,
    /// Its window.
    pub window: Window,
    /// Spent in it.
    pub spent: u64,
    /// Of so much.
    pub limit: u64,
    /// When it turns.
    pub until: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_as_people_write_them() {
        for (amount, tokens) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (12_345_678, "12,345,678"),
        ] {
            assert_eq!(BudgetUnit::Tokens.bare(amount), tokens);
        }
        assert_eq!(BudgetUnit::Money.say(2_530_000), "2.53 USD");
    }
}
