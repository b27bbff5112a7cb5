//! A million replays of texts that were carried out, by other channels, under other ids, mangled, from eight threads,
//! over restarts: none of them is carried out again.

use crate::house::{Codes, Verb, at, core, people, restarted, rules, text};
use fastrand::Rng;
use kill_core::{Card, Core, Decision, InboundText};
use kill_wire::Scope;
use std::sync::Mutex;

const REPLAYS: u64 = 250_000;
const WORKERS: u64 = 8;

/// A house in which everything that can be used up was: KILL codes, cards of both kinds, RESTORE codes.
fn used_up() -> (Core, Vec<InboundText>) {
    let mut people = people(2);
    let cards: Vec<Card> = (0..20_u8)
        .map(|n| match n % 2 {
            0 => Card::from_random([n + 1; 9]),
            _ => Card::digits_from_random([n + 1; 16]),
        })
        .collect();
    people
        .add_cards("a", cards.iter().map(Card::hash).collect())
        .unwrap();
    let codes = Codes::of(&people);
    let mut core = core(&people, &rules(false));
    let mut sent = Vec::new();
    let now = at(30);
    let step = now.step().get();
    let mut carry_out = |core: &mut Core, says: String, cuts: bool| {
        let text = text("sms", &sent.len().to_string(), "+1", &says);
        match core.on_text(&text, now) {
            Decision::Cut(cut) => {
                assert!(cuts);
                core.remember(&text, &format!("CUT {}", cut.latch.scope).into());
            }
            Decision::Restore(restore) => {
                assert!(!cuts && !core.commit(restore.seal, now).overtaken)
            }
            other => panic!("{other:?}"),
        }
        sent.push(text);
    };
    for age in 0..20 {
        let code = codes.get((age % 2) as usize, Verb::Kill, step - age);
        carry_out(
            &mut core,
            format!("KILL {} {code}", ["ALL", "LLM"][(age % 2) as usize]),
            true,
        );
    }
    for card in &cards {
        carry_out(&mut core, format!("KILL CLOUD {}", card.printed()), true);
    }
    for (person, scope) in [(0, "ALL"), (1, "LLM")] {
        let code = codes.get(person, Verb::Restore, step + 1);
        carry_out(&mut core, format!("RESTORE {scope} {code}"), false);
    }
    (core, sent)
}

/// The same message again, or its words by another way.
fn again(chance: &mut Rng, text: &InboundText) -> InboundText {
    let mut again = text.clone();
    if chance.u64(..100) < 50 {
        again.channel = chance
            .choice(["sms", "telegram", "modem", "elks", "local"])
            .unwrap()
            .to_owned();
    }
    if chance.u64(..100) < 50 {
        again.id = chance.u64(..).to_string();
    }
    if chance.u64(..100) < 50 {
        again.sender = Some(chance.u64(..1000).to_string());
    }
    again.text = match chance.u64(..5) {
        0 => again.text.replace("CLOUD", "ALL"),
        1 => again.text.to_lowercase(),
        2 => again.text.replace(' ', "\n"),
        3 => format!("{} again", again.text),
        _ => again.text,
    };
    again
}

fn run(seed: u64) {
    let (core, sent) = used_up();
    let before = core.memory().latches().clone();
    assert!(before.of(&Scope::Cloud).is_some() && before.of(&Scope::All).is_none());
    let core = Mutex::new(core);
    let replay = |worker: u64| {
        let mut chance = Rng::with_seed(seed << 32 | worker);
        let (mut executed, mut answered) = (0_u64, 0_u64);
        for n in 0..REPLAYS / WORKERS {
            let text = again(&mut chance, chance_of(&sent, n));
            // Twelve minutes: first all codes are still good, in the end none.
            let now = at(30 + n * 24 * WORKERS / REPLAYS);
            let mut core = core.lock().unwrap();
            match core.on_text(&text, now) {
                Decision::Duplicate { reply } => answered += u64::from(reply.is_some()),
                Decision::Refused(_) => {}
                _ => executed += 1,
            }
            if n % 1000 == 999 {
                *core = restarted(&core);
            }
        }
        (executed, answered)
    };
    let (executed, answered) = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS)
            .map(|worker| scope.spawn(move || replay(worker)))
            .collect();
        let done = workers.into_iter().map(|worker| worker.join().unwrap());
        done.fold((0, 0), |(a, b), (c, d)| (a + c, b + d))
    });
    println!(
        "{REPLAYS} replays by {WORKERS} threads: {executed} carried out, {answered} got the first answer"
    );
    assert_eq!(executed, 0);
    assert!(answered > REPLAYS / 4);
    let after = core.into_inner().unwrap().memory().latches().clone();
    assert_eq!(after, before);
}

fn chance_of(sent: &[InboundText], n: u64) -> &InboundText {
    &sent[n as usize % sent.len()]
}

#[test]
fn the_first_quarter_of_a_million() {
    run(11);
}

#[test]
fn the_second_quarter_of_a_million() {
    run(12);
}

#[test]
fn the_third_quarter_of_a_million() {
    run(13);
}

#[test]
fn the_fourth_quarter_of_a_million() {
    run(14);
}
