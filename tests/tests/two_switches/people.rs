//! Two people who may cut and restore.

use kill_core::{Digits, Key, People, Person};
use kill_wire::Step;

pub(crate) fn people() -> People {
    let mut people = People::default();
    for (name, seed) in [("anna", 1), ("ben", 9)] {
        let person = Person {
            name: name.parse().unwrap(),
            kill: Key::from_random([seed; 20], Digits::Eight),
            restore: Key::from_random([seed + 1; 20], Digits::Eight),
            check_in: None,
            duress: None,
            cards: Vec::new(),
            senders: Vec::new(),
        };
        people.add(person).unwrap();
    }
    people
}

pub(crate) fn restore_code(name: &str, step: Step) -> String {
    people().get(name).unwrap().restore.code_at(step)
}
