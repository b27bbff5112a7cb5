//! Finds codes, cards and scope words in whatever a person typed. Forgiving, but bounded.

use crate::cards::{CardHash, cards_in};
use kill_wire::Scope;
use std::collections::{BTreeMap, BTreeSet};

/// Most codes and most cards one text may offer, and most words that are read.
pub(crate) const MAX: usize = 64;

/// A number of 6 or 8 digits that may be a code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Code {
    pub(crate) digits: usize,
    value: u32,
}

impl Code {
    /// From decimal digits alone.
    pub(crate) fn of(digits: &str) -> Option<Self> {
        let value = digits.parse().ok()?;
        let digits = digits.len();
        matches!(digits, 6 | 8).then_some(Self { digits, value })
    }
}

/// What a text offers.
pub(crate) struct Scan {
    /// Codes, the plainest reading first.
    pub(crate) codes: Vec<Code>,
    /// Hashes of what may be cards.
    pub(crate) cards: Vec<CardHash>,
    pub(crate) words: Vec<String>,
}

impl Scan {
    pub(crate) fn of(text: &str) -> Self {
        let text: String = text.chars().map(fold).collect();
        let words: Vec<&str> = text
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .take(MAX)
            .collect();
        Self {
            codes: codes(&text),
            cards: cards_in(&words),
            words: words.iter().map(|word| word.to_lowercase()).collect(),
        }
    }

    /// Whether this word (lower case) stands in the text, alone or with a code stuck to it.
    pub(crate) fn says(&self, wanted: &str) -> bool {
        self.words
            .iter()
            .any(|word| word == wanted || without_code(word) == wanted)
    }

    /// Every scope the text names. `known` goes from names without separators to what they mean;
    /// the longest name at a place counts, so that `chat-fast` does not also mean `chat`.
    pub(crate) fn scopes(&self, known: &BTreeMap<String, BTreeSet<Scope>>) -> BTreeSet<Scope> {
        let mut found = BTreeSet::new();
        let mut rest = self.words.as_slice();
        while let Some((first, tail)) = rest.split_first() {
            // A name has at most 24 characters, so at most 24 words.
            let longest = (1..=rest.len().min(24)).rev().find_map(|n| {
                let (run, after) = rest.split_at_checked(n)?;
                known.get(&run.concat()).map(|scopes| (scopes, after))
            });
            let named = longest.or_else(|| Some((known.get(without_code(first))?, tail)));
            if let Some((scopes, _)) = named {
                found.extend(scopes.iter().cloned());
            }
            rest = named.map_or(tail, |(_, after)| after);
        }
        found
    }
}

/// Full-width and both Arabic-Indic blocks of digits, and full-width letters, as ASCII.
fn fold(c: char) -> char {
    let from = match c {
        '\u{ff01}'..='\u{ff5e}' => '\u{ff01}',
        '\u{660}'..='\u{669}' => '\u{660}',
        '\u{6f0}'..='\u{6f9}' => '\u{6f0}',
        _ => return c,
    };
    let base = if from == '\u{ff01}' { '!' } else { '0' };
    char::from_u32(u32::from(c) - u32::from(from) + u32::from(base)).unwrap_or(c)
}

/// A word without the digits of a code at either end: `kill12345678` is `kill`.
fn without_code(word: &str) -> &str {
    let digit = |c: char| c.is_ascii_digit();
    let (head, tail) = (word.trim_end_matches(digit), word.trim_start_matches(digit));
    if word.len() - head.len() >= 6 {
        head
    } else if word.len() - tail.len() >= 6 {
        tail
    } else {
        word
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Digit,
    /// Easily typed for 0 or 1.
    Alike,
    Letter,
    Gap,
}

fn kind(c: char) -> Kind {
    match c {
        '0'..='9' => Kind::Digit,
        'O' | 'o' | 'l' | 'I' => Kind::Alike,
        c if c.is_alphanumeric() => Kind::Letter,
        _ => Kind::Gap,
    }
}

/// Neighbouring runs of digits put together to 6 or 8, with at least 4 true digits.
fn codes(text: &str) -> Vec<Code> {
    let mut pieces: Vec<(Kind, String)> = Vec::new();
    let mut before = Kind::Gap;
    for c in text.chars() {
        let now = kind(c);
        match pieces.last_mut() {
            Some((_, piece)) if now == before && now != Kind::Gap => piece.push(c),
            _ if now != Kind::Gap => pieces.push((now, c.to_string())),
            _ => {}
        }
        before = now;
    }
    let mut found: Vec<(usize, Code)> = Vec::new();
    let mut rest = pieces.as_slice();
    while let Some((_, tail)) = rest.split_first() {
        let mut joined = String::new();
        for (n, (kind, piece)) in rest.iter().enumerate() {
            joined.push_str(piece);
            if *kind == Kind::Letter || joined.len() > 8 {
                break;
            }
            let enough = joined.chars().filter(char::is_ascii_digit).count() >= 4;
            let plain = joined.replace(['O', 'o'], "0").replace(['l', 'I'], "1");
            found.extend(Code::of(&plain).filter(|_| enough).map(|code| (n, code)));
        }
        rest = tail;
    }
    found.sort_by_key(|(pieces, _)| *pieces);
    let mut seen = BTreeSet::new();
    let codes = found.into_iter().map(|(_, code)| code);
    codes.filter(|code| seen.insert(*code)).take(MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cards::Card;

    fn reads(text: &str) -> bool {
        Scan::of(text)
            .codes
            .contains(&Code::of("12345678").unwrap())
    }

    #[test]
    fn a_code_is_found_however_it_is_grouped_or_typed() {
        for text in [
            "12345678",
            "kill 1234 5678",
            "KILL12345678",
            "kill\n12.34.56.78",
            "12345678kill",
            "１２３４ ５６７８",
            "١٢٣٤٥٦٧٨",
            "۱۲۳۴-۵۶۷۸",
            "(1234) 5678!",
            "l2345678",
            "KILL: I2345678",
            "on 2026-11-21 at 14:02 use 12345678, ok?",
            "ＫＩＬＬ　12345678",
        ] {
            assert!(reads(text), "{text}");
        }
        let zero = Code::of("00345678").unwrap();
        assert!(Scan::of("Oo345678").codes.contains(&zero));
    }

    #[test]
    fn letters_are_read_as_digits_only_beside_four_true_digits() {
        assert!(Scan::of("OOOOO123").codes.is_empty());
        assert!(!reads("1234x5678"));
        assert!(!reads("123456789"));
        assert!(!reads("012345678"));
    }

    #[test]
    fn the_plainest_reading_comes_first() {
        let scan = Scan::of("11 11 11 11 12345678");
        assert!(scan.codes.first() == Code::of("12345678").as_ref());
    }

    #[test]
    fn work_is_bounded_whatever_the_text() {
        let scan = Scan::of(&"1 ".repeat(1024));
        assert!(scan.codes.len() <= MAX && scan.cards.len() <= 2 * MAX && scan.words.len() <= MAX);
        let many: String = (0..200).map(|n| format!("{:08} ", n * 7919)).collect();
        assert!(Scan::of(&many).codes.len() <= MAX);
    }

    #[test]
    fn a_card_is_found_in_any_grouping() {
        let card = Card::from_random([0x5a, 0x13, 0x77, 0x01, 0xfe, 0x90, 0x21, 0xab, 0x80]);
        let plain = card.printed().replace('-', "");
        let digits = Card::digits_from_random([0x5a; 16]);
        let number = digits.printed();
        let run = number.replace('-', "");
        for text in [
            number.clone(),
            run.clone(),
            format!("5455 {}", number.replace('-', " ")),
            format!("KILL{run}"),
            format!("kill {} {}", &run[..8], &run[8..]),
        ] {
            assert!(Scan::of(&text).cards.contains(&digits.hash()), "{text}");
        }
        assert!(Scan::of(&number).codes.is_empty());
        for text in [
            card.printed(),
            format!("KILL ALL {}", card.printed().to_lowercase()),
            format!("kill {}", plain.replace('0', "o").replace('1', "i")),
            format!("KILL{plain}"),
            format!("please {} {} now", &plain[..6], &plain[6..]),
        ] {
            assert!(Scan::of(&text).cards.contains(&card.hash()), "{text}");
        }
    }

    #[test]
    fn scopes_are_whole_words_and_the_longest_name_counts() {
        let known: BTreeMap<String, BTreeSet<Scope>> = ["all", "llm", "chat", "chat-fast", "gpt4"]
            .iter()
            .map(|word| {
                let scope: Scope = word.parse().unwrap();
                (word.replace('-', ""), BTreeSet::from([scope]))
            })
            .collect();
        for (text, expected) in [
            ("KILL chat 12345678", "chat"),
            ("kill Chat-Fast", "chat-fast"),
            ("kill chat fast", "chat-fast"),
            ("kill chatfast12345678", "chat-fast"),
            ("12345678llm", "LLM"),
            ("kill llm5", ""),
            ("kill gpt-4", "gpt4"),
            ("kill gpt4", "gpt4"),
            ("chats", ""),
            ("chat llm", "LLM chat"),
        ] {
            let found = Scan::of(text).scopes(&known);
            let found: Vec<String> = found.iter().map(Scope::to_string).collect();
            assert_eq!(found.join(" "), expected, "{text}");
        }
    }
}
