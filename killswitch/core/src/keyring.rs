//! Every code that is good now, looked up at once: no person's check takes longer than another's.

use crate::{key::Key, people::People, people::PersonName, scan::Code};
use kill_wire::Step;
use std::collections::BTreeMap;

/// A KILL code counts from 20 steps before now, because texts are late (10 min), to one after.
pub(crate) const KILL_PAST: u64 = 20;
/// A RESTORE code counts from 2 steps before now: nobody is in a hurry to open.
const RESTORE_PAST: u64 = 2;
/// Clocks of phones run ahead by up to one step.
pub(crate) const FUTURE: u64 = 1;

/// Whose code of which step.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Minted {
    pub(crate) person: PersonName,
    pub(crate) step: Step,
}

type Table = BTreeMap<Code, Vec<Minted>>;

/// Tables of one step. Building them takes about 5 µs a code.
#[derive(Default)]
pub(crate) struct Keyring {
    built: Option<Step>,
    kill: Table,
    restore: Table,
}

impl Keyring {
    /// Builds the tables of `now`, unless they are there.
    pub(crate) fn turn(&mut self, people: &People, now: Step) {
        if self.built == Some(now) {
            return;
        }
        *self = Self {
            built: Some(now),
            ..Self::default()
        };
        for person in people {
            let name = &person.name;
            fill(&mut self.kill, name, &person.kill, now, KILL_PAST);
            fill(&mut self.restore, name, &person.restore, now, RESTORE_PAST);
        }
    }

    /// Everybody's steps in which this is a KILL code, newest first.
    pub(crate) fn kill(&self, code: Code) -> &[Minted] {
        self.kill.get(&code).map_or(&[], Vec::as_slice)
    }

    /// Everybody's steps in which this is a RESTORE code, newest first.
    pub(crate) fn restore(&self, code: Code) -> &[Minted] {
        self.restore.get(&code).map_or(&[], Vec::as_slice)
    }
}

fn fill(table: &mut Table, person: &PersonName, key: &Key, now: Step, past: u64) {
    for step in now.around(past, FUTURE) {
        if let Some(code) = Code::of(&key.code_at(step)) {
            table.entry(code).or_default().push(Minted {
                person: person.clone(),
                step,
            });
        }
    }
}
