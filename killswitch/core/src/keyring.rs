//! Every code that is good now, looked up at once: no person's check takes longer than another's.

use crate::{key::Key, people::People, people::Person, people::PersonName, scan::Code};
use kill_wire::Step;
use std::collections::{BTreeMap, BTreeSet};

/// A KILL code counts from 20 steps before now, because texts are late (10 min), to one after.
pub(crate) const KILL_PAST: u64 = 20;
/// A check-in code counts from 4 steps before now: who is late is asked again.
const CHECK_IN_PAST: u64 = 4;
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

/// Who shows which code in one step.
type Table = BTreeMap<Code, Vec<PersonName>>;

/// The codes of one kind of key, a table for each step.
#[derive(Default)]
pub(crate) struct Wheel(BTreeMap<Step, Table>);

impl Wheel {
    /// Makes the tables of these steps and drops all others. One code takes about 5 µs.
    fn turn(&mut self, steps: &BTreeSet<Step>, people: &People, key: fn(&Person) -> Option<&Key>) {
        self.0.retain(|step, _| steps.contains(step));
        for step in steps {
            let code = |key: &Key| Code::of(&key.code_at(*step));
            let new = || {
                let mut table = Table::new();
                for (name, code) in people
                    .iter()
                    .filter_map(|p| Some((&p.name, code(key(p)?)?)))
                {
                    table.entry(code).or_default().push(name.clone());
                }
                table
            };
            self.0.entry(*step).or_insert_with(new);
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
        let short_enough = now.around(CHECK_IN_PAST, FUTURE).collect();
        self.check_in
            .turn(&short_enough, people, |p| p.check_in.as_ref());
        self.restore.turn(&short, people, |p| Some(&p.restore));
        self.duress.turn(&short, people, |p| p.duress.as_ref());
        let late = late.map(|late| late.around(KILL_PAST, FUTURE));
        let kill = long.into_iter().chain(late.into_iter().flatten()).collect();
        self.kill.turn(&kill, people, |p| Some(&p.kill));
    }
}
