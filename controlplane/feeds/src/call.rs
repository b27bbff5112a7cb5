//! What a call is called in the ledger, when it was, and what it cost.

use kill_wire::{Class, Timestamp};
use net_model::{KeyHash, MicroDollars, Tokens};
use prices::{Price, Prices};

/// Longest id that stands as it was said; a longer one stands as its SHA-256.
const LONGEST_ID: usize = 96;
/// Longest model name, in characters.
const LONGEST_MODEL: usize = 128;

/// The id of a call, one line of visible characters; none where there is nothing to know it by.
pub(crate) fn id(said: &str) -> Option<String> {
    if said.is_empty() {
        return None;
    }
    let plain = said.len() <= LONGEST_ID && said.bytes().all(|byte| byte.is_ascii_graphic());
    Some(if plain {
        said.to_owned()
    } else {
        format!("sha256-{}", KeyHash::of(said.as_bytes()).to_hex())
    })
}

/// A model's name as the ledger holds it.
pub(crate) fn model(said: &str) -> String {
    let visible = said.chars().filter(|c| !c.is_control());
    visible.take(LONGEST_MODEL).collect()
}

/// What it cost: nothing in the house, unknown where the price is.
pub(crate) fn cost(
    prices: &Prices,
    model: &str,
    class: Class,
    tokens: &Tokens,
) -> Option<MicroDollars> {
    if class == Class::Local {
        return Some(MicroDollars::ZERO);
    }
    prices.of(model).map(|price: &Price| price.cost(tokens))
}

/// Seconds since 1970 as a time that is not ahead of `now`.
pub(crate) fn at(ms: Option<u64>, now: Timestamp) -> Timestamp {
    ms.map_or(now, |ms| Timestamp::from_millis(ms).min(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_of_any_length_is_bounded_and_stays_itself() {
        assert_eq!(id("abc-1").as_deref(), Some("abc-1"));
        let long = "x".repeat(10_000);
        let kept = id(&long).unwrap();
        assert!(kept.len() < 80 && id(&long) == Some(kept));
        assert_ne!(id("a\nb"), id("a b"));
        assert!(id("").is_none());
    }
}
