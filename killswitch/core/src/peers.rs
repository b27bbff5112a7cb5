//! Several kill switches of one house: what the others cut, which codes they took, and what was restored anywhere.
//!
//! Each has latches of its own. **Cut wins:** a latch of another is hidden by nothing here, and goes only when a restore
//! names it, by its number and the moment it was cut last. Who cuts a scope again makes it another latch.

use crate::core::Core;
use crate::memory::Memory;
use kill_wire::{
    Grant, Incident, Latch, LatchId, LatchSet, Order, PeerState, Scope, Step, Timestamp, UsedCode,
    Verb,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Most other kill switches.
const MOST: usize = 3;
/// Most latches kept of one of them; more are kept as one cut of everything.
const MOST_LATCHES: usize = 32;
/// Restored latches that are remembered: the newest. An older one that comes back holds again.
const MOST_RELEASED: usize = Grant::MOST_RELEASED;
/// Used codes are told for this many steps.
const TOLD: u64 = 40;

/// What is known of the others.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Peers {
    /// Which one this is, where there are several.
    instance: Option<u8>,
    theirs: BTreeMap<String, Theirs>,
    released: BTreeSet<Released>,
}

/// One of the others, as it was heard last.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Theirs {
    seq: u64,
    latches: LatchSet,
    /// As it said; counts when it changes, so that a clock there that runs ahead does not stop every restore here.
    last_kill: Step,
}

/// A restored latch; the newest sort last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Released(Timestamp, Incident);

impl From<LatchId> for Released {
    fn from(latch: LatchId) -> Self {
        Self(latch.since, latch.incident)
    }
}

impl From<Released> for LatchId {
    fn from(Released(since, incident): Released) -> Self {
        Self { incident, since }
    }
}

/// What hearing of another kill switch comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// It was heard to say something newer before: nothing was taken in. Its sender must use a higher number.
    pub stale: Option<u64>,
    /// What it cut and was not known here.
    pub cut: Vec<Latch>,
    /// What was restored anywhere and is not known to be here: write it down with [`Core::recorded_releases`], then
    /// [`Core::commit_releases`].
    pub released: Vec<LatchId>,
    /// Of these, what was cut here or by that kill switch.
    pub ends: Vec<Latch>,
    /// A code or a step was not known here: the memory has changed.
    pub learned: bool,
}

impl Core {
    /// Says which kill switch of the house this is, and how the others are called. Without any it stands alone.
    pub fn set_peers(&mut self, instance: Option<u8>, names: &[String]) {
        let memory = &mut self.memory;
        let peers = &mut memory.peers;
        peers.instance = instance.map(|n| n % 4);
        peers.theirs.retain(|name, _| names.contains(name));
        for name in names.iter().take(MOST) {
            peers.theirs.entry(name.clone()).or_default();
        }
        memory.next_incident = peers.own(memory.next_incident);
    }

    /// What the others are told. `order` is the newest, sealed.
    #[must_use]
    pub fn peer_state(&self, order: String, now: Timestamp) -> PeerState {
        let memory = &self.memory;
        let recent = |(_, step): &(&crate::PersonName, Step)| step.get() + TOLD >= now.step().get();
        let told = |verb| {
            move |(person, step): (&crate::PersonName, Step)| UsedCode {
                verb,
                step,
                person: person.to_string(),
            }
        };
        let killed = memory.used_kill.iter().filter(recent).map(told(Verb::Kill));
        let restored = memory.used_restore.iter();
        let restored = restored.filter(recent).map(told(Verb::Restore));
        PeerState {
            instance: memory.peers.instance.unwrap_or(0),
            last_kill: memory.last_kill,
            last_restore: memory.last_restore,
            used: restored.chain(killed).take(PeerState::MOST_USED).collect(),
            order,
        }
    }

    /// Takes in what another kill switch says. What closes counts at once; what opens waits until it is written down.
    pub fn on_peer(
        &mut self,
        name: &str,
        state: &PeerState,
        order: &Order,
        now: Timestamp,
    ) -> Heard {
        let memory = &mut self.memory;
        let known = memory.peers.released.clone();
        let Some(before) = memory.peers.theirs.get(name) else {
            return Heard::default();
        };
        if order.seq <= before.seq {
            return Heard {
                stale: Some(before.seq),
                ..Heard::default()
            };
        }
        let shown: Vec<Latch> = memory.every_latch().cloned().collect();
        let Some(theirs) = memory.peers.theirs.get_mut(name) else {
            return Heard::default();
        };
        let open = |latch: &&Latch| !known.contains(&latch.id().into());
        let said: Vec<&Latch> = order.latches.as_slice().iter().filter(open).collect();
        let before = theirs.ids();
        let cut = said.iter().filter(|latch| !before.contains(&latch.id()));
        let cut: Vec<Latch> = cut.map(|latch| Latch::clone(latch)).collect();
        let again = state.last_kill == theirs.last_kill;
        *theirs = Theirs::new(order.seq, said, state.last_kill);
        let steps = (memory.last_kill, memory.last_restore);
        if !again {
            memory.last_kill = memory.last_kill.max(state.last_kill);
        }
        memory.last_restore = memory.last_restore.max(state.last_restore);
        let mut learned = steps != (memory.last_kill, memory.last_restore);
        for UsedCode { verb, step, person } in &state.used {
            let Ok(person) = person.parse::<crate::PersonName>() else {
                continue;
            };
            let used = match verb {
                Verb::Kill => &mut memory.used_kill,
                Verb::Restore => &mut memory.used_restore,
            };
            if self.people.get(person.as_str()).is_some() && !used.has(&person, *step) {
                match verb {
                    Verb::Kill => used.spend(&person, *step, now.step()),
                    Verb::Restore => used.spend_short(&person, *step, now.step()),
                }
                learned = true;
            }
        }
        if !cut.is_empty() {
            // As after a cut here: no code, no seal and no first of two from before counts.
            self.epoch += 1;
            self.memory.last_kill = self.memory.last_kill.max(now.step());
            self.memory.votes.clear();
        }
        let released = self.memory.peers.news(&order.grant.released);
        let ends = shown.into_iter();
        let ends = ends.filter(|latch| released.contains(&latch.id()));
        Heard {
            stale: None,
            cut,
            ends: ends.collect(),
            released,
            learned,
        }
    }

    /// The memory as it will be when these are released.
    #[must_use]
    pub fn recorded_releases(&self, latches: &[LatchId]) -> Memory {
        let mut memory = self.memory.clone();
        memory.release(latches);
        memory
    }

    /// Releases what another kill switch restored, after that was recorded on disk. The latches of this one among them
    /// go only if they were not cut again meanwhile: that would be others.
    pub fn commit_releases(&mut self, latches: &[LatchId]) {
        // What is being written down for a seal knows nothing of this.
        self.epoch += 1;
        self.memory.release(latches);
    }
}

impl Memory {
    /// What is cut, here or by another kill switch of this house.
    #[must_use]
    pub fn latches(&self) -> LatchSet {
        if self.peers.theirs.is_empty() {
            return self.latches.clone();
        }
        LatchSet::union(self.every_latch())
    }

    fn every_latch(&self) -> impl Iterator<Item = &Latch> {
        let theirs = self.peers.theirs.values();
        let own = self.latches.as_slice().iter();
        own.chain(theirs.flat_map(|theirs| theirs.latches.as_slice()))
    }

    /// Every latch on exactly this scope, own first.
    pub(crate) fn on_scope(&self, scope: &Scope) -> Vec<LatchId> {
        let on = self.every_latch().filter(|latch| latch.scope == *scope);
        on.map(Latch::id).collect()
    }

    /// Takes these latches away, wherever they are, and remembers it for the others; gives how many were there.
    pub(crate) fn release(&mut self, latches: &[LatchId]) -> usize {
        let mut gone = 0;
        for id in latches {
            let peers = &mut self.peers;
            let sets = peers.theirs.values_mut().map(|theirs| &mut theirs.latches);
            for set in std::iter::once(&mut self.latches).chain(sets) {
                if set.as_slice().iter().any(|latch| latch.id() == *id) {
                    gone += usize::from(set.release(id.incident).is_some());
                }
            }
            if !peers.theirs.is_empty() {
                peers.remember(*id);
            }
        }
        gone
    }

    /// The latch that holds this scope here, cut again. Where another kill switch may be restoring it in this moment, it
    /// becomes another latch.
    pub(crate) fn cut_again(&mut self, scope: &Scope, now: Timestamp) -> Option<Latch> {
        if self.peers.theirs.is_empty() {
            return self.latches.of(scope).cloned();
        }
        self.latches.cut_again(scope, now)
    }

    /// The number after the one that was given last.
    pub(crate) fn next_number(&self) -> Incident {
        self.peers.own(self.next_incident.next())
    }
}

impl Peers {
    /// The first number from `n` on that is this kill switch's own.
    fn own(&self, mut n: Incident) -> Incident {
        if let Some(instance) = self.instance {
            // At most three steps, or none where the numbers have run out.
            while n.get() % 4 != u32::from(instance) && n != n.next() {
                n = n.next();
            }
        }
        n
    }

    /// What the others cut, for an order.
    pub(crate) fn latches(&self) -> Vec<Latch> {
        let theirs = self.theirs.values();
        let all = theirs.flat_map(|theirs| theirs.latches.as_slice());
        all.cloned().collect()
    }

    /// What was restored, for an order.
    pub(crate) fn released(&self) -> Vec<LatchId> {
        self.released.iter().map(|latch| (*latch).into()).collect()
    }

    fn remember(&mut self, latch: LatchId) {
        self.released.insert(latch.into());
        while self.released.len() > MOST_RELEASED {
            self.released.pop_first();
        }
    }

    /// Of these, what is not known here and would be remembered.
    fn news(&self, latches: &[LatchId]) -> Vec<LatchId> {
        let mut then = self.clone();
        latches.iter().for_each(|latch| then.remember(*latch));
        let news = then.released.difference(&self.released);
        news.map(|latch| (*latch).into()).collect()
    }

    /// Whether a file's content keeps the bounds.
    pub(crate) fn bounded(&self) -> bool {
        self.theirs.len() <= MOST
            && self.released.len() <= MOST_RELEASED
            && self
                .theirs
                .values()
                .all(|theirs| theirs.latches.as_slice().len() <= MOST_LATCHES)
    }
}

impl Theirs {
    fn new(seq: u64, latches: Vec<&Latch>, last_kill: Step) -> Self {
        let many = latches.len() > MOST_LATCHES;
        let everything = latches.last().filter(|_| many).map(|newest| Latch {
            scope: Scope::All,
            ..Latch::clone(newest)
        });
        let latches = match &everything {
            Some(everything) => LatchSet::union([everything]),
            None => LatchSet::union(latches),
        };
        Self {
            seq,
            latches,
            last_kill,
        }
    }

    fn ids(&self) -> BTreeSet<LatchId> {
        self.latches.as_slice().iter().map(Latch::id).collect()
    }
}
