//! Printed single-use KILL codes: 65 random bits as 13 characters of Crockford's base32, or 66 as 20 digits for phones
//! with number keys.
//!
//! So many bits need no throttle (NIST SP 800-63B 5.1.2) and no slow hash: only SHA-256 is kept.

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fmt;
use zeroize::Zeroizing;

/// Characters of a card with letters, and of one with digits alone.
const CARD_CHARS: usize = 13;
const CARD_DIGITS: usize = 20;

const ALPHABET: [char; 32] = [
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'J',
    'K', 'M', 'N', 'P', 'Q', 'R', 'S', 'T', 'V', 'W', 'X', 'Y', 'Z',
];

/// One card, before it is printed. Only its hash is kept.
pub struct Card(Zeroizing<String>);

impl Card {
    /// Makes a card; the first 65 of the 72 bits are used.
    #[must_use]
    pub fn from_random(bytes: [u8; 9]) -> Self {
        let bits = bytes
            .iter()
            .fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte))
            >> 7;
        let chars = (0..CARD_CHARS).rev().filter_map(|at| {
            let digit = bits >> (5 * at) & 31;
            ALPHABET.get(usize::try_from(digit).ok()?)
        });
        Self(Zeroizing::new(chars.collect()))
    }

    /// Makes a card of digits alone. 128 bits, so that none of the 10^20 numbers is likelier than another.
    #[must_use]
    pub fn digits_from_random(bytes: [u8; 16]) -> Self {
        let number = u128::from_be_bytes(bytes) % 10_u128.pow(20);
        Self(Zeroizing::new(format!("{number:020}")))
    }

    /// As it stands on paper: `XXXX-XXXX-XXXXX`, or `00000-00000-00000-00000`: groups of five are no code, whatever
    /// stands beside them.
    #[must_use]
    pub fn printed(&self) -> String {
        let part = |range| self.0.get(range).unwrap_or_default();
        if self.0.len() == CARD_DIGITS {
            let halves = (part(0..5), part(5..10), part(10..15), part(15..CARD_DIGITS));
            return format!("{}-{}-{}-{}", halves.0, halves.1, halves.2, halves.3);
        }
        format!("{}-{}-{}", part(0..4), part(4..8), part(8..CARD_CHARS))
    }

    /// What is kept of it.
    #[must_use]
    pub fn hash(&self) -> CardHash {
        CardHash(Sha256::digest(self.0.as_bytes()).into())
    }
}

impl fmt::Debug for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Card(…)")
    }
}

/// SHA-256 of a card: enough to know it again, useless to find it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CardHash([u8; 32]);

impl CardHash {
    /// Reads 13 characters or 20 digits as typed: case does not matter, O is 0, I and L are 1.
    /// `None` when they are not of a card's alphabet.
    pub(crate) fn of_typed(chars: &[char]) -> Option<Self> {
        let read = |c: &char| match c.to_ascii_uppercase() {
            'O' => Some('0'),
            'I' | 'L' => Some('1'),
            c => ALPHABET.contains(&c).then_some(c),
        };
        let typed: Zeroizing<String> =
            Zeroizing::new(chars.iter().map(read).collect::<Option<_>>()?);
        let lettered = chars.len() == CARD_CHARS;
        let numbered = chars.len() == CARD_DIGITS && typed.bytes().all(|b| b.is_ascii_digit());
        (lettered || numbered).then(|| Self(Sha256::digest(typed.as_bytes()).into()))
    }

    /// Its first 64 bits: what is remembered of a used card.
    pub(crate) fn short(&self) -> String {
        HEXLOWER.encode(self.0.get(..8).unwrap_or_default())
    }
}

impl TryFrom<String> for CardHash {
    type Error = &'static str;

    fn try_from(hex: String) -> Result<Self, Self::Error> {
        let raw = HEXLOWER.decode(hex.as_bytes()).ok();
        raw.and_then(|raw| raw.try_into().ok())
            .map(Self)
            .ok_or("a card is kept as 64 hexadecimal digits")
    }
}

impl From<CardHash> for String {
    fn from(hash: CardHash) -> Self {
        HEXLOWER.encode(&hash.0)
    }
}

impl fmt::Debug for CardHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CardHash(…)")
    }
}

/// Cards a text may hold: neighbouring words put together to the length of a card, and the end of a longer word.
pub(crate) fn cards_in(words: &[&str]) -> Vec<CardHash> {
    let mut found = Vec::new();
    let mut rest = words;
    while let Some((first, tail)) = rest.split_first() {
        for length in [CARD_CHARS, CARD_DIGITS] {
            let mut joined: Vec<char> = Vec::new();
            for word in rest {
                joined.extend(word.chars());
                if joined.len() >= length {
                    break;
                }
            }
            let last = joined.len().saturating_sub(length);
            if last == 0 || joined.len() == first.chars().count() {
                let end = joined.get(last..).unwrap_or_default();
                found.extend(CardHash::of_typed(end));
            }
        }
        rest = tail;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_prints_in_three_groups_and_reads_back_forgivingly() {
        assert_eq!(Card::from_random([0; 9]).printed(), "0000-0000-00000");
        assert_eq!(Card::from_random([0xff; 9]).printed(), "ZZZZ-ZZZZ-ZZZZZ");
        let card = Card::from_random([0x08, 0x42, 0x10, 0x84, 0x21, 0x08, 0x42, 0x10, 0x80]);
        assert_eq!(card.printed(), "1111-1111-11111");
        let typed: Vec<char> = "iIlL1iIlL1iIl".chars().collect();
        assert_eq!(CardHash::of_typed(&typed), Some(card.hash()));
    }

    #[test]
    fn a_card_of_digits_prints_in_groups_that_are_no_code() {
        let number = 12_345_678_901_234_567_890_u128;
        let card = Card::digits_from_random((number + 10_u128.pow(20)).to_be_bytes());
        assert_eq!(card.printed(), "12345-67890-12345-67890");
        let typed: Vec<char> = "I234567890l23456789O".chars().collect();
        assert_eq!(CardHash::of_typed(&typed), Some(card.hash()));
        let least = Card::digits_from_random([0; 16]);
        assert_eq!(least.printed(), "00000-00000-00000-00000");
        let letters: Vec<char> = "123456789012345678AB".chars().collect();
        assert_eq!(CardHash::of_typed(&letters), None);
    }

    #[test]
    fn what_is_no_card_has_no_hash() {
        for text in [
            "",
            "UUUUUUUUUUUUU",
            "000000000000",
            "00000000000000",
            "0000000000é00",
        ] {
            let typed: Vec<char> = text.chars().collect();
            assert_eq!(CardHash::of_typed(&typed), None, "{text}");
        }
    }

    #[test]
    fn neighbouring_random_bits_make_different_cards() {
        // The 65th bit still counts, the 66th no longer.
        let mut bytes = [0; 9];
        bytes[8] = 0x80;
        assert_ne!(
            Card::from_random(bytes).hash(),
            Card::from_random([0; 9]).hash()
        );
        bytes[8] = 0x40;
        assert_eq!(
            Card::from_random(bytes).hash(),
            Card::from_random([0; 9]).hash()
        );
    }
}
