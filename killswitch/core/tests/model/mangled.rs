//! Texts as people in a hurry, phones and carriers make them.

use crate::house::{Codes, NOW, Verb, at, core, people, rules, text};
use fastrand::Rng;
use kill_core::{Decision, People};
use kill_wire::Scope;

const TEXTS: u64 = 10_000;

/// The digits of a code in groups, with something between.
fn grouped(chance: &mut Rng, code: &str) -> String {
    let size = [8, 4, 2, 3, 1][chance.u64(..5) as usize];
    let between = chance
        .choice([
            " ", "-", ".", ",", "/", "\n", " - ", "\u{a0}", "\u{200b}", ". ",
        ])
        .unwrap();
    let digits: Vec<char> = code.chars().collect();
    let groups: Vec<String> = digits
        .chunks(size)
        .map(|group| group.iter().collect())
        .collect();
    groups.join(between)
}

/// Digits as other keyboards write them, or as fingers do.
fn written(chance: &mut Rng, code: &str) -> String {
    let other = |zero: char, c: char| match c.to_digit(10) {
        Some(digit) => char::from_u32(u32::from(zero) + digit).unwrap(),
        None => c,
    };
    match chance.u64(..8) {
        0 => code.chars().map(|c| other('\u{ff10}', c)).collect(),
        1 => code.chars().map(|c| other('\u{660}', c)).collect(),
        2 => code.chars().map(|c| other('\u{6f0}', c)).collect(),
        // Only beside true digits is an O a zero.
        3 if code.chars().filter(|c| !"01".contains(*c)).count() >= 5 => {
            code.replace('0', "O").replace('1', "l")
        }
        _ => code.to_owned(),
    }
}

/// A word with a letter missing, doubled, swapped or wrong.
fn mistyped(chance: &mut Rng, word: &str) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    let n = chance.u64(..(letters.len() as u64 - 1)) as usize;
    match chance.u64(..4) {
        0 => drop(letters.remove(n)),
        1 => letters.insert(n, letters[n]),
        2 => letters.swap(n, n + 1),
        _ => letters[n] = 'x',
    }
    let case = chance.u64(..3);
    let word: String = letters.into_iter().collect();
    match case {
        0 => word.to_lowercase(),
        1 => word,
        _ => word
            .chars()
            .enumerate()
            .map(|(n, c)| if n == 0 { c } else { c.to_ascii_lowercase() })
            .collect(),
    }
}

/// What carriers and gateways put before a text.
fn prefix(chance: &mut Rng) -> &'static str {
    chance
        .choice([
            "",
            "",
            "FRM:John SUBJ:none MSG:",
            "From +4915112345678: ",
            "(1/1) ",
            "Fwd: ",
            "SMS via web - ",
            "[14:02] ",
            "\u{feff}",
            "21.11.2026 ",
        ])
        .unwrap()
}

/// A KILL text with everything around the code left to chance.
fn kill_text(chance: &mut Rng, code: &str) -> String {
    let code = if chance.u64(..100) < 50 {
        grouped(chance, code)
    } else {
        written(chance, code)
    };
    let words = [
        "KILL",
        "CUT",
        "OFF",
        "STOP",
        "5455",
        "",
        "HALT",
        "kill all",
        "KILL LLM",
        "NOTAUS",
        "\u{1f6d1}",
        "kill pls!!",
    ];
    let word = chance.choice(words).unwrap();
    let word = if word.chars().count() > 3 && chance.u64(..100) < 60 {
        mistyped(chance, word)
    } else {
        word.to_owned()
    };
    let gap = chance
        .choice([" ", "", ": ", "\n", "=", " code ", "\t"])
        .unwrap();
    // No digit may touch a digit: nobody could tell where the code begins.
    let gap = if word.ends_with(|c: char| c.is_ascii_digit()) {
        " "
    } else {
        gap
    };
    let head = prefix(chance);
    let ends = [
        "",
        "",
        "!",
        " now",
        "\nSent from my phone",
        " OK?",
        " asap thx",
        ".",
    ];
    let end = chance.choice(ends).unwrap();
    match chance.u64(..4) {
        0 => format!("{head}{code} {word}{end}"),
        // Cut off right behind the code.
        1 => format!("{head}{word}{gap}{code}"),
        _ => format!("{head}{word}{gap}{code}{end}"),
    }
}

#[test]
fn of_10_000_mangled_kill_texts_999_in_1000_cut() {
    let people = people(1);
    let codes = Codes::of(&people);
    let mut chance = Rng::with_seed(21);
    let mut missed = Vec::new();
    for n in 0..TEXTS {
        let now = at(n % 50);
        let step = now.step().get() + 1 - chance.u64(..22);
        let says = kill_text(&mut chance, codes.get(0, Verb::Kill, step));
        let decision = core(&people, &rules(false)).on_text(&text("sms", "m", "+1", &says), now);
        if !matches!(decision, Decision::Cut(_)) {
            missed.push(says);
        }
    }
    let shown: Vec<&String> = missed.iter().take(5).collect();
    println!(
        "{TEXTS} mangled KILL texts: {} did not cut: {shown:?}",
        missed.len()
    );
    assert!(missed.len() as u64 <= TEXTS / 1000);
}

const NOT_SCOPES: [&str; 8] = [
    "",
    "EVERYTHING",
    "AL",
    "ALLL",
    "LM",
    "CLOUD",
    "TOOLS",
    "A L L M",
];
const NOT_WORDS: [&str; 6] = ["OPEN", "UNDO", "START", "UNKILL", "RESTART", ""];

/// A RESTORE text that is wrong in one way at least; and what is wrong with it.
fn wrong(chance: &mut Rng, codes: &Codes, step: u64) -> (String, &'static str) {
    let good = codes.get(0, Verb::Restore, step - chance.u64(..2));
    let scope = chance.choice(["ALL", "LLM"]).unwrap();
    let flipped = |chance: &mut Rng, code: &str| {
        let at = chance.u64(..8) as usize;
        let digit = (code.as_bytes()[at] - b'0' + 1 + chance.u64(..9) as u8) % 10;
        format!("{}{digit}{}", &code[..at], &code[at + 1..])
    };
    match chance.u64(..8) {
        0 => {
            let word = loop {
                let word = mistyped(chance, "RESTORE");
                if !word.eq_ignore_ascii_case("RESTORE") {
                    break word;
                }
            };
            (format!("{word} {scope} {good}"), "the word")
        }
        1 => (
            format!("RESTORE {scope} {}", flipped(chance, good)),
            "a digit",
        ),
        2 => (
            format!("RESTORE {} {good}", chance.choice(NOT_SCOPES).unwrap()),
            "the scope",
        ),
        3 => (format!("RESTORE ALL LLM {good}"), "two scopes"),
        4 => (
            format!(
                "RESTORE {scope} {}",
                codes.get(0, Verb::Restore, step - 3 - chance.u64(..80))
            ),
            "an old code",
        ),
        5 => (
            format!("RESTORE {scope} {}", codes.get(0, Verb::CheckIn, step)),
            "another key",
        ),
        6 => (format!("RESTORE {scope} {}", &good[..6]), "cut off"),
        _ => (
            format!("{} {scope} {good}", chance.choice(NOT_WORDS).unwrap()),
            "another word",
        ),
    }
}

#[test]
fn of_10_000_mangled_restore_texts_none_restores_anything() {
    let people = people(1);
    let codes = Codes::of(&people);
    let mut chance = Rng::with_seed(22);
    for n in 0..TEXTS {
        let now = at(30 + n % 50);
        let (says, what) = wrong(&mut chance, &codes, now.step().get());
        let says = format!("{}{says}", prefix(&mut chance));
        assert!(!restores(&people, &says, now).0, "{what}: {says}");
    }
    println!("{TEXTS} mangled RESTORE texts: 0 restored");
}

#[test]
fn what_does_not_change_the_words_of_a_restore_restores_exactly_what_it_names() {
    let people = people(1);
    let codes = Codes::of(&people);
    let mut chance = Rng::with_seed(23);
    let mut restored = 0;
    for n in 0..TEXTS {
        let now = at(30 + n % 50);
        let code = codes
            .get(0, Verb::Restore, now.step().get() - chance.u64(..2))
            .to_owned();
        let code = grouped(&mut chance, &code);
        let code = written(&mut chance, &code);
        let scope = chance.choice(["ALL", "all", "LLM", "Llm"]).unwrap();
        let says = format!(
            "{} {scope} {code}",
            chance.choice(["RESTORE", "restore", "Restore:"]).unwrap()
        );
        let (yes, left) = restores(&people, &says, now);
        restored += u64::from(yes);
        let other = if scope.eq_ignore_ascii_case("ALL") {
            "LLM"
        } else {
            "ALL"
        };
        assert_eq!(left, if yes { other } else { "ALL LLM" }, "{says}");
    }
    println!(
        "{TEXTS} RESTORE texts in other writing: {restored} restored what they name, nothing else was"
    );
    assert!(restored * 100 >= TEXTS * 95);
}

/// Whether this restores anything in a house where ALL and LLM are cut, and what is left cut then.
fn restores(people: &People, says: &str, now: kill_wire::Timestamp) -> (bool, String) {
    let mut core = core(people, &rules(false));
    core.lever_cut(Scope::All, "x", "y", NOW);
    core.lever_cut(Scope::Llm, "x", "y", NOW);
    let opened = match core.on_text(&text("sms", "m", "+1", says), now) {
        Decision::Restore(restore) => !core.commit(restore.seal, now).overtaken,
        Decision::Refused(_) => false,
        other => panic!("{says}: {other:?}"),
    };
    let latches = core.memory().latches();
    let left = latches.as_slice().iter();
    let left: Vec<String> = left.map(|latch| latch.scope.to_string()).collect();
    (opened, left.join(" "))
}
