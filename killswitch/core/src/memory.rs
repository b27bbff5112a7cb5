//! What must survive a restart: latches, numbers, used codes, failed tries.
//!
//! **Invariant:** nothing here opens a latch by time passing.

use crate::{
    cards::CardHash, keyring::FUTURE, keyring::KILL_PAST, outcomes::Outcomes, people::PersonName,
};
use kill_wire::{Incident, LatchSet, Step, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Failed tries a day before a single KILL code no longer suffices.
pub(crate) const GUESSES: usize = 10;
const DAY_MS: u64 = 86_400_000;
/// Failed RESTORE codes in a row before RESTORE locks.
pub(crate) const RESTORE_TRIES: u32 = 10;

/// Everything the kill switch knows that a restart must not lose. Holds no secret.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    version: u32,
    pub(crate) seq: u64,
    pub(crate) next_incident: Incident,
    pub(crate) latches: LatchSet,
    /// Newest step of any KILL, by its code and by its arrival.
    pub(crate) last_kill: Step,
    /// Step of the newest RESTORE code that was carried out.
    pub(crate) last_restore: Step,
    pub(crate) restore_failures: u32,
    failed: Vec<Timestamp>,
    used_kill: BTreeMap<PersonName, BTreeSet<Step>>,
    used_restore: BTreeMap<PersonName, BTreeSet<Step>>,
    used_cards: BTreeSet<String>,
    pub(crate) outcomes: Outcomes,
}

/// Bytes that are not a memory of this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the kill switch's memory is not in the form of version 1")]
pub struct NotAMemory;

impl Memory {
    /// The memory of a kill switch that never cut: nothing is cut.
    #[must_use]
    pub fn fresh() -> Self {
        Self {
            version: 1,
            seq: 0,
            next_incident: Incident::FIRST,
            latches: LatchSet::default(),
            last_kill: Step::default(),
            last_restore: Step::default(),
            restore_failures: 0,
            failed: Vec::new(),
            used_kill: BTreeMap::new(),
            used_restore: BTreeMap::new(),
            used_cards: BTreeSet::new(),
            outcomes: Outcomes::default(),
        }
    }

    /// Reads what [`Memory::to_json`] wrote; anything else is an error, never a guess.
    pub fn parse(bytes: &[u8]) -> Result<Self, NotAMemory> {
        let memory: Self = serde_json::from_slice(bytes).map_err(|_| NotAMemory)?;
        let newest = memory.latches.as_slice().last();
        let sound = memory.version == 1
            && newest.is_none_or(|latch| latch.incident <= memory.next_incident)
            && memory.failed.len() <= GUESSES
            && memory.outcomes.bounded();
        sound.then_some(memory).ok_or(NotAMemory)
    }

    /// Its text form, below 48 KiB at all bounds.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Strings, numbers and string-like keys only: there is nothing in it that JSON cannot say.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// What is cut.
    #[must_use]
    pub const fn latches(&self) -> &LatchSet {
        &self.latches
    }

    /// Number of the newest order.
    #[must_use]
    pub const fn seq(&self) -> u64 {
        self.seq
    }

    /// Whether RESTORE is locked until someone clears it at the machine.
    #[must_use]
    pub const fn restore_locked(&self) -> bool {
        self.restore_failures >= RESTORE_TRIES
    }

    /// Whether guessing was seen in the last 24 hours: a KILL needs two codes or a card.
    #[must_use]
    pub fn step_up(&self, now: Timestamp) -> bool {
        self.guesses_left(now) == 0
    }

    /// How many single codes may still be tried.
    pub(crate) fn guesses_left(&self, now: Timestamp) -> usize {
        let recent = self.failed.iter().filter(|at| now.since(**at) < DAY_MS);
        GUESSES.saturating_sub(recent.count())
    }

    /// Counts failed codes of one text.
    pub(crate) fn failed(&mut self, codes: usize, now: Timestamp) {
        self.failed.retain(|at| now.since(*at) < DAY_MS);
        let room = GUESSES.saturating_sub(self.failed.len());
        self.failed
            .extend(std::iter::repeat_n(now, codes.min(room)));
    }

    /// Whether this person's KILL code of that step was used.
    pub(crate) fn kill_used(&self, person: &PersonName, step: Step) -> bool {
        used(&self.used_kill, person, step)
    }

    /// Whether this person's RESTORE code of that step was used.
    pub(crate) fn restore_used(&self, person: &PersonName, step: Step) -> bool {
        used(&self.used_restore, person, step)
    }

    /// Spends a KILL code.
    pub(crate) fn use_kill(&mut self, person: &PersonName, step: Step, now: Step) {
        spend(&mut self.used_kill, person, step, now);
    }

    /// Spends a RESTORE code.
    pub(crate) fn use_restore(&mut self, person: &PersonName, step: Step, now: Step) {
        spend(&mut self.used_restore, person, step, now);
    }

    /// Whether this card was used.
    pub(crate) fn card_used(&self, card: &CardHash) -> bool {
        self.used_cards.contains(&card.short())
    }

    /// Spends a card.
    pub(crate) fn use_card(&mut self, card: &CardHash) {
        self.used_cards.insert(card.short());
    }

    /// Forgets used codes and cards of people who are gone; keeps the memory within its bounds.
    pub(crate) fn keep_only(&mut self, people: &crate::People) {
        let there = |name: &PersonName| people.get(name.as_str()).is_some();
        self.used_kill.retain(|name, _| there(name));
        self.used_restore.retain(|name, _| there(name));
        let cards = people.iter().flat_map(|person| &person.cards);
        let live: BTreeSet<String> = cards.map(CardHash::short).collect();
        self.used_cards.retain(|card| live.contains(card));
    }
}

type Used = BTreeMap<PersonName, BTreeSet<Step>>;

fn used(all: &Used, person: &PersonName, step: Step) -> bool {
    all.get(person).is_some_and(|steps| steps.contains(&step))
}

/// Steps outside the widest window go first, and only when there are many: a clock that is set
/// back makes old codes good again, and a used one should still be known then.
fn spend(all: &mut Used, person: &PersonName, step: Step, now: Step) {
    const MOST: usize = 24;
    let steps = all.entry(person.clone()).or_default();
    steps.insert(step);
    if steps.len() > MOST {
        let window: BTreeSet<Step> = now.around(KILL_PAST, FUTURE).collect();
        steps.retain(|step| window.contains(step));
    }
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Memory")
            .field("seq", &self.seq)
            .field("latches", &self.latches)
            .finish_non_exhaustive()
    }
}
