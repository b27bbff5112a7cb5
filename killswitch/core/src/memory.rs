//! What must survive a restart: latches, numbers, used codes, failed tries.
//!
//! **Invariant:** nothing here opens a latch by time passing.

mod used;

pub(crate) use used::Used;

use crate::budget::{Bucket, Failed};
use crate::cards::CardHash;
use crate::check_in::LastCheckIn;
use crate::duress::Pretences;
use crate::outcomes::Outcomes;
use crate::peers::Peers;
use crate::people::PersonName;
use crate::vote::{MOST_VOTES, Vote};
use kill_wire::{Incident, LatchSet, Step};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Failed RESTORE codes in a row before RESTORE locks.
pub(crate) const RESTORE_TRIES: u32 = 10;
/// Failed check-in codes a day before they are not looked at.
pub(crate) const CHECK_IN_TRIES: u32 = 10;

/// Most pretences that are remembered.
pub(crate) const MOST_FEIGNED: usize = 8;

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
    pub(crate) failed: Failed,
    pub(crate) used_kill: Used,
    pub(crate) used_restore: Used,
    used_cards: BTreeSet<String>,
    pub(crate) outcomes: Outcomes,
    // What came later reads as empty where an older kill switch wrote.
    #[serde(default)]
    pub(crate) restore_failed: Failed,
    #[serde(default)]
    pub(crate) check_in_failed: Failed,
    #[serde(default)]
    pub(crate) halves: Bucket,
    #[serde(default)]
    pub(crate) used_check_in: Used,
    #[serde(default)]
    pub(crate) used_duress: Used,
    #[serde(default)]
    pub(crate) check_in: LastCheckIn,
    #[serde(default)]
    pub(crate) votes: Vec<Vote>,
    #[serde(default)]
    pub(crate) feigned: Pretences,
    #[serde(default)]
    pub(crate) peers: Peers,
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
            failed: Failed::default(),
            used_kill: Used::default(),
            used_restore: Used::default(),
            used_cards: BTreeSet::new(),
            outcomes: Outcomes::default(),
            restore_failed: Failed::default(),
            check_in_failed: Failed::default(),
            halves: Bucket::default(),
            used_check_in: Used::default(),
            used_duress: Used::default(),
            check_in: LastCheckIn::default(),
            votes: Vec::new(),
            feigned: Vec::new(),
            peers: Peers::default(),
        }
    }

    /// Reads what [`Memory::to_json`] wrote; anything else is an error, never a guess.
    pub fn parse(bytes: &[u8]) -> Result<Self, NotAMemory> {
        let memory: Self = serde_json::from_slice(bytes).map_err(|_| NotAMemory)?;
        let newest = memory.latches.as_slice().last();
        let sound = memory.version == 1
            && newest.is_none_or(|latch| latch.incident <= memory.next_incident)
            && memory.bounded();
        sound.then_some(memory).ok_or(NotAMemory)
    }

    /// Its text form, below 48 KiB at all bounds.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Strings, numbers and string-like keys only: there is nothing in it that JSON cannot say.
        serde_json::to_string(self).unwrap_or_default()
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

    /// Whether this card was used.
    pub(crate) fn card_used(&self, card: &CardHash) -> bool {
        self.used_cards.contains(&card.short())
    }

    /// Spends a card.
    pub(crate) fn use_card(&mut self, card: &CardHash) {
        self.used_cards.insert(card.short());
    }

    /// Forgets what belongs to people who are gone; keeps the memory within its bounds.
    pub(crate) fn keep_only(&mut self, people: &crate::People) {
        let there = |name: &PersonName| people.get(name.as_str()).is_some();
        for used in [
            &mut self.used_kill,
            &mut self.used_restore,
            &mut self.used_check_in,
            &mut self.used_duress,
        ] {
            used.keep_only(there);
        }
        self.votes.retain(|vote| there(vote.person()));
        self.feigned.retain(|(name, _)| there(name));
        let cards = people.iter().flat_map(|person| &person.cards);
        let live: BTreeSet<String> = cards.map(CardHash::short).collect();
        self.used_cards.retain(|card| live.contains(card));
    }

    /// Whether a file's content keeps the bounds.
    fn bounded(&self) -> bool {
        let used = [
            &self.used_kill,
            &self.used_restore,
            &self.used_check_in,
            &self.used_duress,
        ];
        let failed = [&self.failed, &self.restore_failed, &self.check_in_failed];
        used.iter().all(|used| used.bounded())
            && failed.iter().all(|failed| failed.bounded())
            && self.votes.len() <= MOST_VOTES
            && self.feigned.len() <= MOST_FEIGNED
            && self.outcomes.bounded()
            && self.peers.bounded()
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
