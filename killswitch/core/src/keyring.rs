//! Every code that is good now, looked up at once: no person's check takes longer than another's.

use crate::{key::Key, people::People, people::Person, people::PersonName, scan::Code};
use kill_wire::Step;
use std::collections::{BTreeMap, BTreeSet};

/// A KILL code counts from 20 steps before now, because texts are late (10 min), to one after.
pub(crate) const KILL_PAST: u64 = 20;
/// A RESTORE code counts from 2 steps before now: nobody is in a hurry to open.
pub(crate) const RESTORE_PAST: u64 = 2;
/// Clocks of phones run ahead by up to one step.
pub(crate) const FUTURE: u64 = 1;

/// Whose code of which step.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Minted {
    pub(crate) person: PersonName,
    pub(crate) step: Step,
}

/// The codes of one kind of key, a table for each step.
#[derive(Default)]
pub(crate) struct Wheel(BTreeMap<Step, BTreeMap<Code, Vec<PersonName>>>);

impl Wheel {
    /// Makes the tables of these steps and drops all others. One code takes about 5 µs.
    fn turn(&mut self, steps: &BTreeSet<Step>, people: &People, key: fn(&Person) -> Option<&Key>) {
        self.0.retain(|step, _| steps.contains(step));
        for step in steps
            .iter()
            .filter(|step| !self.0.contains_key(step))
            .copied()
            .collect::<Vec<_>>()
        {
            let table = self.0.entry(step).or_default();
            for person in people {
                let code = key(person).and_then(|key| Code::of(&key.code_at(step)));
                let Some(code) = code else { continue };
                table.entry(code).or_default().push(person.name.clone());
            }
        }
    }

    /// Whether it is anybody's.
    pub(crate) fn has(&self, code: Code) -> bool {
        self.0.values().any(|table| table.contains_key(&code))
    }

    /// Everybody's steps in which this is a code, newest first.
    pub(crate) fn find(&self, code: Code) -> impl Iterator<Item = Minted> + '_ {
        let steps = self.0.iter().rev();
        steps.flat_map(move |(&step, table)| {
            let people = table.get(&code).into_iter().flatten().cloned();
            people.map(move |person| Minted { person, step })
        })
    }
}

/// Everybody's codes of now.
#[derive(Default)]
pub(crate) struct Keyring {
    pub(crate) kill: Wheel,
    pub(crate) restore: Wheel,
    pub(crate) check_in: Wheel,
    pub(crate) duress: Wheel,
}

impl Keyring {
    /// Makes the tables of `now`, for KILL also those of a text that came late.
    pub(crate) fn turn(&mut self, people: &People, now: Step, late: Option<Step>) {
        let long: BTreeSet<Step> = now.around(KILL_PAST, FUTURE).collect();
        let short = now.around(RESTORE_PAST, FUTURE).collect();
        self.check_in
            .turn(&long, people, |person| person.check_in.as_ref());
        self.restore
            .turn(&short, people, |person| Some(&person.restore));
        self.duress
            .turn(&short, people, |person| person.duress.as_ref());
        let late = late
            .into_iter()
            .flat_map(|late| late.around(KILL_PAST, FUTURE));
        let kill = long.into_iter().chain(late).collect();
        self.kill.turn(&kill, people, |person| Some(&person.kill));
    }
}
