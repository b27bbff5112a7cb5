//! People, and their codes made once.

use kill_core::{Core, Digits, InboundText, Key, Memory, People, Person, Restorable, Rules, Trust};
use kill_wire::{Step, Timestamp};

/// First millisecond of a step.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_795_248_120_000);
/// Steps before and after [`NOW`] for which codes are made.
const AROUND: u64 = 130;

pub(crate) fn at(steps: u64) -> Timestamp {
    NOW.plus_millis(steps * 30_000)
}

/// `a`, `b`, ... each with three keys.
pub(crate) fn people(count: u8) -> People {
    let mut people = People::default();
    for n in 0..count {
        let key = |kind: u8| Key::from_random([7 * n + kind; 20], Digits::Eight);
        let person = Person {
            name: char::from(b'a' + n).to_string().parse().unwrap(),
            kill: key(1),
            restore: key(2),
            check_in: Some(key(3)),
            duress: None,
            cards: Vec::new(),
            senders: Vec::new(),
        };
        people.add(person).unwrap();
    }
    people
}

pub(crate) fn rules(two_person: bool) -> Rules {
    Rules {
        two_person,
        text_restorable: Restorable::All,
        ..Rules::default()
    }
}

pub(crate) fn core(people: &People, rules: &Rules) -> Core {
    with(Memory::fresh(), people, rules)
}

/// As after a restart: what is on disk, and nothing else.
pub(crate) fn restarted(core: &Core) -> Core {
    let memory = Memory::parse(core.memory().to_json().as_bytes()).unwrap();
    with(memory, core.people(), core.rules())
}

fn with(memory: Memory, people: &People, rules: &Rules) -> Core {
    let mut core = Core::new(memory, people.clone());
    core.set_rules(rules.clone());
    core
}

pub(crate) fn text(channel: &str, id: &str, sender: &str, says: &str) -> InboundText {
    InboundText::new(channel, id, Some(sender), says, Trust::A)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Kill,
    Restore,
    CheckIn,
}

/// Every code of everybody around [`NOW`].
pub(crate) struct Codes(Vec<[Vec<String>; 3]>);

impl Codes {
    pub(crate) fn of(people: &People) -> Self {
        let first = NOW.step().get() - AROUND;
        let all = |key: &Key| {
            let steps = (first..first + 2 * AROUND).map(Step::new);
            steps.map(|step| key.code_at(step)).collect()
        };
        let one = |person: &Person| {
            let check_in = person.check_in.as_ref().unwrap();
            [all(&person.kill), all(&person.restore), all(check_in)]
        };
        Self(people.iter().map(one).collect())
    }

    /// The code of a person in a step.
    pub(crate) fn get(&self, person: usize, verb: Verb, step: u64) -> &str {
        let at = step - (NOW.step().get() - AROUND);
        &self.0[person][verb as usize][at as usize]
    }
}
