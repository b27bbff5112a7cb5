//! A million guesses: no more hit than the bound allows.

use crate::house::{NOW, core, people, rules, text};
use fastrand::Rng;
use kill_core::{Decision, Digits, InboundText, Key, People};
use kill_wire::Timestamp;

/// Days, and guesses on each of them.
const DAYS: u64 = 5_000;
const A_DAY: u64 = 60;
const LOOKED_AT: u64 = 10;
const PEOPLE: u8 = 16;
/// Steps in which a check-in code is good.
const STEPS: u64 = 6;

fn guess(day: u64, n: u64, says: &str) -> (InboundText, Timestamp) {
    let now = NOW.plus_millis(day * 86_400_000 + n);
    (
        text("sms", &format!("{day}.{n}"), &format!("+{n}"), says),
        now,
    )
}

/// Six digits and many people, so that hits can be counted.
#[test]
fn of_guesses_at_six_digits_as_many_hit_as_the_daily_budget_predicts() {
    let mut six = People::default();
    for person in &people(PEOPLE) {
        let mut person = person.clone();
        let seed = person.name.as_str().as_bytes()[0];
        person.check_in = Some(Key::from_random([seed + 120; 20], Digits::Six));
        six.add(person).unwrap();
    }
    let mut core = core(&six, &rules(false));
    let mut chance = Rng::with_seed(41);
    let mut hits = 0;
    for day in 0..DAYS {
        for n in 0..A_DAY {
            let (text, now) = guess(day, n, &format!("OK {:06}", chance.u64(..1_000_000)));
            match core.on_text(&text, now) {
                Decision::CheckedIn(_) => hits += 1,
                Decision::Refused(_) | Decision::Duplicate { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }
    let each = f64::from(PEOPLE) * STEPS as f64 / 1e6;
    let predicted = (DAYS * LOOKED_AT) as f64 * each;
    let without = (DAYS * A_DAY) as f64 * each;
    println!(
        "{} guesses at six digits: {hits} hit, {predicted} predicted, {without} without a budget",
        DAYS * A_DAY
    );
    // Four standard deviations, and far below what no budget would let through.
    let most = predicted + 4.0 * predicted.sqrt();
    assert!(hits > 0 && f64::from(hits) < most && most < without / 2.0);
}

#[test]
fn of_a_million_guesses_at_a_kill_none_cuts() {
    let people = people(5);
    let mut core = core(&people, &rules(false));
    let mut chance = Rng::with_seed(42);
    for n in 0..1_000_000_u64 {
        // One guess, or two in one text, from ever other senders, over a day.
        let one = chance.u64(..100_000_000);
        let says = match n % 2 {
            0 => format!("KILL {one:08}"),
            _ => format!("{one:08} {:08}", chance.u64(..100_000_000)),
        };
        let (text, _) = guess(0, n, &says);
        let now = NOW.plus_millis(n * 86);
        assert!(
            matches!(core.on_text(&text, now), Decision::Refused(_)),
            "{says}"
        );
    }
    assert!(core.memory().latches().is_empty());
    println!("1000000 guesses at a KILL in a day: 0 cut");
}
