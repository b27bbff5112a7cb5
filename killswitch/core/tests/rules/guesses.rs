use crate::house::*;
use kill_core::guesses::{MOST_KILL, MOST_RESTORE, bound, check};
use kill_core::{Digits, People, Restorable, Rules, RulesError};

fn people(count: u8, digits: Digits) -> People {
    let mut people = People::default();
    for n in 0..count {
        let mut one = person(&format!("p{n}"), 60 + 2 * n, digits);
        one.cards.clear();
        people.add(one).unwrap();
    }
    people
}

fn near(seen: f64, expected: f64) -> bool {
    (seen / expected - 1.0).abs() < 0.01
}

#[test]
fn the_bound_is_the_sum_of_every_way_to_guess() {
    let rules = Rules::default();
    // 5 people, 22 steps, 8 digits, 10 a day: 0.40 %; two codes in one text, 100 a second: 0.21 %; halves: 4e-6.
    let kill = bound(&people(5, Digits::Eight), &rules).kill;
    assert!(near(kill, 4.015e-3 + 2.0813e-3 + 3.6e-6), "{kill}");
    // 2 people, 4 steps, 8 digits, 5 a day.
    let restore = bound(&people(2, Digits::Eight), &rules).restore;
    assert!(near(restore, 1.46e-4), "{restore}");
    let six = bound(&people(5, Digits::Six), &rules).kill;
    assert!(six > 1e-5 && six < 1e-3, "{six}");
    assert_eq!(bound(&People::default(), &rules), Default::default());
}

#[test]
fn every_guess_more_and_every_person_more_is_worth_more() {
    let mut last = bound(&people(1, Digits::Eight), &Rules::default());
    for count in 2..8 {
        let next = bound(&people(count, Digits::Eight), &Rules::default());
        assert!(next.kill > last.kill && next.restore > last.restore);
        last = next;
    }
    let more = Rules {
        guesses_per_day: 11,
        restore_guesses_per_day: 6,
        ..Rules::default()
    };
    let next = bound(&people(7, Digits::Eight), &more);
    assert!(next.kill > last.kill && next.restore > last.restore);
}

#[test]
fn what_is_too_easily_guessed_does_not_start_and_says_what_to_change() {
    let three = people(3, Digits::Eight);
    let says = check(&three, &Rules::default()).unwrap_err().to_string();
    assert_eq!(
        says,
        "a RESTORE would be guessed with a chance of 2.2e-4 a year, more than 2e-4: have fewer than 3 people, set restore_guesses_per_day below 5, or set two_person = true"
    );
    for cure in [
        Rules {
            restore_guesses_per_day: 4,
            ..Rules::default()
        },
        Rules {
            two_person: true,
            ..Rules::default()
        },
    ] {
        let bound = cure.check(&three).unwrap();
        assert!(bound.restore <= MOST_RESTORE && bound.kill <= MOST_KILL);
    }
    let many = people(16, Digits::Eight);
    let rules = Rules {
        two_person: true,
        ..Rules::default()
    };
    let says = check(&many, &rules).unwrap_err().to_string();
    assert!(says.contains("have fewer than 16 people"), "{says}");
    assert!(says.contains("set guesses_per_day below 10"), "{says}");
}

#[test]
fn budgets_out_of_bounds_do_not_start() {
    for (kill, restore) in [(0, 5), (21, 5), (10, 0), (10, 21)] {
        let rules = Rules {
            guesses_per_day: kill,
            restore_guesses_per_day: restore,
            text_restorable: Restorable::All,
            ..Rules::default()
        };
        let people = people(1, Digits::Eight);
        assert_eq!(rules.check(&people), Err(RulesError::Guesses));
    }
}
