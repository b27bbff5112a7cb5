//! 10,000 bad texts in a minute, and a hundred good ones among them.

use crate::house::{Codes, NOW, Verb, core, people, rules, text};
use fastrand::Rng;
use kill_core::{Core, Decision, People};

fn says(core: &mut Core, id: u64, says: &str, at: kill_wire::Timestamp) -> bool {
    let sender = format!("+{id}");
    matches!(
        core.on_text(&text("sms", &id.to_string(), &sender, says), at),
        Decision::Cut(_)
    )
}

#[test]
fn in_a_flood_a_hundred_of_a_hundred_kills_are_accepted_within_one_extra_step() {
    let everybody: People = people(16);
    let codes = Codes::of(&everybody);
    let mut core = core(&everybody, &rules(false));
    let mut chance = Rng::with_seed(31);
    let (mut at_once, mut with_two, mut refused) = (0, 0, 0);
    for n in 0..10_000_u64 {
        let now = NOW.plus_millis(n * 6);
        let bad = match n % 4 {
            0 => format!("KILL {:08}", chance.u64(..100_000_000)),
            1 => format!("RESTORE ALL {:08}", chance.u64(..100_000_000)),
            2 => format!(
                "{:06} {:08}",
                chance.u64(..1_000_000),
                chance.u64(..100_000_000)
            ),
            _ => "A".repeat(2000),
        };
        assert!(!says(&mut core, n, &bad, now), "a guess hit: {bad}");
        if n % 100 == 50 {
            let good = n / 100;
            let person = (good % 16) as usize;
            // Each person's codes of the last ten minutes, two for each of their KILLs.
            let step = NOW.step().get() - good / 16 * 2;
            let one = codes.get(person, Verb::Kill, step);
            let before = codes.get(person, Verb::Kill, step - 1);
            if says(&mut core, 20_000 + n, &format!("KILL {one}"), now) {
                at_once += 1;
            } else if says(&mut core, 30_000 + n, &format!("KILL {one} {before}"), now) {
                with_two += 1;
            } else {
                refused += 1;
            }
        }
    }
    println!(
        "10000 bad texts: of 100 KILLs {at_once} were accepted at once, {with_two} with a second code, {refused} not"
    );
    assert_eq!((at_once + with_two, refused), (100, 0));
}

#[test]
fn after_a_flood_of_halves_one_text_with_two_codes_still_cuts() {
    let people = people(1);
    let codes = Codes::of(&people);
    let mut core = core(&people, &rules(false));
    for n in 0..2000 {
        assert!(!says(&mut core, n, &format!("KILL {:08}", n * 7919), NOW));
    }
    let step = NOW.step().get();
    // Apart they are refused: what waits for others has a budget.
    let (one, two) = (
        codes.get(0, Verb::Kill, step),
        codes.get(0, Verb::Kill, step - 1),
    );
    assert!(!says(&mut core, 5000, &format!("KILL {one}"), NOW));
    assert!(!says(&mut core, 5001, &format!("KILL {two}"), NOW));
    assert!(says(&mut core, 5002, &format!("KILL {one} {two}"), NOW));
}
