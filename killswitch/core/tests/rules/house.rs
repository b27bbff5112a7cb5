//! A house to decide about: two people, two names.

use kill_core::{
    Card, Core, Cut, Decision, Digits, InboundText, Key, Memory, Opening, People, Person, Refused,
    Reply, Restorable, Restore, Rules, Trust,
};
use kill_wire::{Scope, Step, Timestamp};

/// First millisecond of a step.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_795_248_120_000);

pub(crate) fn later(steps: u64) -> Timestamp {
    NOW.plus_millis(steps * 30_000)
}

pub(crate) fn before(steps: u64) -> Step {
    Step::new(NOW.step().get() - steps)
}

pub(crate) fn person(name: &str, seed: u8, digits: Digits) -> Person {
    Person {
        name: name.parse().unwrap(),
        kill: Key::from_random([seed; 20], digits),
        restore: Key::from_random([seed + 1; 20], Digits::Eight),
        check_in: None,
        duress: None,
        cards: vec![card(seed).hash(), card(seed + 1).hash()],
        senders: vec![format!("+49 151 000{seed}")],
    }
}

pub(crate) fn card(seed: u8) -> Card {
    Card::from_random([seed; 9])
}

/// `owner` has codes of eight digits, `six` of six; routes `chat`, `chat-fast` and consumer `agent`.
pub(crate) fn core() -> Core {
    let mut people = People::default();
    people.add(person("owner", 10, Digits::Eight)).unwrap();
    people.add(person("six", 20, Digits::Six)).unwrap();
    let mut core = Core::new(Memory::fresh(), people);
    core.set_rules(by_any_text());
    let names = ["chat", "chat-fast", "agent"].map(|name| name.parse().unwrap());
    core.set_names(names.to_vec());
    core
}

/// `anna` and `ben` have every kind of key; both are registered.
pub(crate) fn two(rules: Rules) -> Core {
    let mut people = People::default();
    for (name, seed) in [("anna", 40), ("ben", 50)] {
        let mut person = person(name, seed, Digits::Eight);
        person.check_in = Some(Key::from_random([seed + 2; 20], Digits::Six));
        person.duress = Some(Key::from_random([seed + 3; 20], Digits::Eight));
        people.add(person).unwrap();
    }
    let mut core = Core::new(Memory::fresh(), people);
    core.set_rules(rules);
    core
}

pub(crate) fn check_in_code(core: &Core, name: &str, step: Step) -> String {
    let person = core.people().get(name).unwrap();
    person.check_in.as_ref().unwrap().code_at(step)
}

pub(crate) fn duress_code(core: &Core, name: &str, step: Step) -> String {
    let person = core.people().get(name).unwrap();
    person.duress.as_ref().unwrap().code_at(step)
}

/// Only `owner`: few codes, so that many cases run quickly.
pub(crate) fn alone() -> Core {
    let mut people = People::default();
    people.add(person("owner", 10, Digits::Eight)).unwrap();
    let mut core = Core::new(Memory::fresh(), people);
    core.set_rules(by_any_text());
    core
}

/// The shipped rules, but texts of any signed channel may restore.
pub(crate) fn by_any_text() -> Rules {
    Rules {
        text_restorable: Restorable::All,
        ..Rules::default()
    }
}

/// What the lever may restore at once.
pub(crate) fn at_once(opening: Opening) -> Restore {
    match opening {
        Opening::Now(restore) => restore,
        other => panic!("expected a restore, got {other:?}"),
    }
}

pub(crate) fn kill_code(core: &Core, name: &str, step: Step) -> String {
    core.people().get(name).unwrap().kill.code_at(step)
}

pub(crate) fn restore_code(core: &Core, name: &str, step: Step) -> String {
    core.people().get(name).unwrap().restore.code_at(step)
}

pub(crate) fn text(id: &str, says: &str) -> InboundText {
    InboundText::new("twilio", id, Some("+1999"), says, Trust::B)
}

/// From a number of its own.
pub(crate) fn from(sender: usize, id: &str, says: &str) -> InboundText {
    InboundText::new("twilio", id, Some(&format!("+1{sender}")), says, Trust::B)
}

/// From the owner's registered number.
pub(crate) fn owners(id: &str, says: &str) -> InboundText {
    InboundText::new("twilio", id, Some("+4915100010"), says, Trust::B)
}

pub(crate) fn scope(word: &str) -> Scope {
    word.parse().unwrap()
}

pub(crate) fn cut(decision: Decision) -> Cut {
    match decision {
        Decision::Cut(cut) => cut,
        other => panic!("expected a cut, got {other:?}"),
    }
}

pub(crate) fn restore(decision: Decision) -> Restore {
    match decision {
        Decision::Restore(restore) => restore,
        other => panic!("expected a restore, got {other:?}"),
    }
}

pub(crate) fn refused(decision: Decision) -> Refused {
    match decision {
        Decision::Refused(refused) => refused,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

pub(crate) fn duplicate(decision: Decision) -> Option<Reply> {
    match decision {
        Decision::Duplicate { reply } => reply,
        other => panic!("expected a duplicate, got {other:?}"),
    }
}

/// Scopes that are cut, in the order of their incidents.
pub(crate) fn cut_now(core: &Core) -> String {
    let latches = core.memory().latches();
    let words: Vec<String> = latches
        .as_slice()
        .iter()
        .map(|l| format!("{}{}", l.scope, l.incident))
        .collect();
    words.join(" ")
}

/// The same after a restart.
pub(crate) fn restarted(core: &Core) -> Core {
    let memory = Memory::parse(core.memory().to_json().as_bytes()).unwrap();
    let mut again = Core::new(memory, core.people().clone());
    again.set_rules(core.rules().clone());
    let names = ["chat", "chat-fast", "agent"].map(|name| name.parse().unwrap());
    again.set_names(names.to_vec());
    again
}
