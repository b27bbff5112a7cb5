//! What guessing is worth: the chance of at least one false acceptance in a year, for people and rules as configured.
//!
//! One guess hits one of `people x steps` codes among `10^digits` (RFC 4226 section 7.3). What is throttled is counted
//! at its daily budget. What is never throttled is counted at `RATE` texts a second, more than a phone number, a
//! provider's queue or the listener's cheap refusals let through for a year.

use crate::key::Digits;
use crate::keyring::{FUTURE, KILL_PAST, RESTORE_PAST};
use crate::people::People;
use crate::rules::Rules;
use crate::stepped_up::{GAP, HALVES_PER_DAY, LOOKED_AT};
use kill_wire::GuessBound;

/// Most that a KILL may be worth a year: a nuisance, nothing more.
pub const MOST_KILL: f64 = 0.01;
/// Most that a RESTORE may be worth a year.
pub const MOST_RESTORE: f64 = 2e-4;

/// Texts a second for a whole year.
const RATE: f64 = 100.0;
const DAYS: f64 = 365.0;
const DAY_S: f64 = 86_400.0;
/// Bits of a card: 65 of the lettered, 66 of the numbered.
const CARD_BITS: i32 = 65;

/// People and rules that are too easily guessed; says what to change.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TooGuessable {
    /// A KILL.
    #[error(
        "a KILL would be guessed with a chance of {:.2} % a year, more than {:.0} %: have fewer than {people} people, give them 8 digits, or set guesses_per_day below {guesses}",
        chance * 100.0, MOST_KILL * 100.0
    )]
    Kill {
        /// Chance in a year.
        chance: f64,
        /// How many people there are.
        people: usize,
        /// What the rules allow.
        guesses: u32,
    },
    /// A RESTORE.
    #[error(
        "a RESTORE would be guessed with a chance of {chance:.1e} a year, more than {MOST_RESTORE:.0e}: have fewer than {people} people, set restore_guesses_per_day below {guesses}, or set two_person = true"
    )]
    Restore {
        /// Chance in a year.
        chance: f64,
        /// How many people there are.
        people: usize,
        /// What the rules allow.
        guesses: u32,
    },
}

/// Chances in a year.
#[must_use]
pub fn bound(people: &People, rules: &Rules) -> GuessBound {
    let everybody = count(people.len());
    let six = people.iter().filter(|p| p.kill.digits() == Digits::Six);
    let six = count(six.count());
    let eight = everybody - six;
    let cards = count(people.iter().map(|p| p.cards.len()).sum());
    let steps = steps(KILL_PAST);
    let tries = f64::from(rules.guesses_per_day);
    let single = eight * steps / 1e8 * tries * DAYS;
    // Within one text: codes of neighbouring steps among the few that are looked at, in any order.
    let texts = RATE * DAY_S * DAYS;
    let beside = 2.0 * count(GAP);
    let looked = count(LOOKED_AT);
    let two_eight = eight * pairs(looked) * steps * beside / 1e16 * texts;
    let three_six = six * triples(looked) * steps * beside * beside * 1.5 / 1e18 * texts;
    let two_six = six * pairs(tries) * steps * steps / 1e12 * DAYS;
    // Over several texts: any two (or three) among a day's budget, as if all came within ten minutes.
    let halves = f64::from(HALVES_PER_DAY);
    let halves_eight = eight * pairs(halves) * (steps / 1e8).powi(2) * DAYS;
    let halves_six = six * triples(halves) * (steps / 1e6).powi(3) * DAYS;
    let card = cards / 2_f64.powi(CARD_BITS) * count(2 * crate::scan::MAX) * texts;
    let restore = everybody * self::steps(RESTORE_PAST) / 1e8;
    let tries = f64::from(rules.restore_guesses_per_day);
    GuessBound {
        kill: (single + two_eight + three_six + two_six + halves_eight + halves_six + card)
            .min(1.0),
        restore: if rules.two_person {
            // Codes of two people, of two guesses of one day or of two neighbouring ones.
            pairs(2.0 * tries) * restore * restore * DAYS
        } else {
            restore * tries * DAYS
        }
        .min(1.0),
    }
}

/// The bound, unless it is beyond [`MOST_KILL`] or [`MOST_RESTORE`].
pub fn check(people: &People, rules: &Rules) -> Result<GuessBound, TooGuessable> {
    let bound = bound(people, rules);
    let people = people.len();
    if bound.kill > MOST_KILL {
        return Err(TooGuessable::Kill {
            chance: bound.kill,
            people,
            guesses: rules.guesses_per_day,
        });
    }
    if bound.restore > MOST_RESTORE {
        return Err(TooGuessable::Restore {
            chance: bound.restore,
            people,
            guesses: rules.restore_guesses_per_day,
        });
    }
    Ok(bound)
}

/// Steps of a window.
fn steps(past: u64) -> f64 {
    u32::try_from(past + 1 + FUTURE).map_or(f64::INFINITY, f64::from)
}

fn count(n: usize) -> f64 {
    u32::try_from(n).map_or(f64::INFINITY, f64::from)
}

fn pairs(n: f64) -> f64 {
    n * (n - 1.0) / 2.0
}

fn triples(n: f64) -> f64 {
    n * (n - 1.0) * (n - 2.0) / 6.0
}
