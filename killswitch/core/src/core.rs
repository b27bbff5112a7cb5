//! The decisions. Texts, lever calls and `now` in; decisions out. Nothing here acts.
//!
//! **Invariant:** only [`Core::commit`] takes a latch away, and only with a [`RestoreSeal`].
//!
//! [`RestoreSeal`]: crate::RestoreSeal

use crate::decision::Decision;
use crate::halves::Halves;
use crate::inbound_text::InboundText;
use crate::keyring::Keyring;
use crate::memory::Memory;
use crate::people::People;
use crate::rules::Rules;
use crate::scan::Scan;
use crate::senders::Senders;
use kill_wire::{Latch, LatchSet, Name, Scope, Step, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// The whole state of mind of the kill switch.
pub struct Core {
    pub(crate) memory: Memory,
    pub(crate) people: People,
    pub(crate) names: Vec<Name>,
    pub(crate) ring: Keyring,
    pub(crate) halves: Halves,
    pub(crate) senders: Senders,
    pub(crate) rules: Rules,
    /// Grows with every cut and every seal: a seal holds only while nothing newer was decided.
    pub(crate) epoch: u64,
}

impl Core {
    /// Builds the code tables of `now` ahead of time, so that the next text need not wait for them.
    pub fn prepare(&mut self, now: Timestamp) {
        self.ring.turn(&self.people, now.step(), None);
    }

    /// Decides about a verified text. A valid unused KILL code cuts, whatever else the text says
    /// and however often its id was seen.
    pub fn on_text(&mut self, text: &InboundText, now: Timestamp) -> Decision {
        self.ring.turn(&self.people, now.step(), text.late(now));
        let scan = Scan::of(&text.text);
        if let Some(cut) = self.on_kill(text, &scan, now) {
            return Decision::Cut(cut);
        }
        self.on_other(text, &scan, now)
    }

    /// Every word that names a scope now, without separators.
    pub(crate) fn scope_words(&self) -> BTreeMap<String, BTreeSet<Scope>> {
        let mut words: BTreeMap<String, BTreeSet<Scope>> = BTreeMap::new();
        let fixed = [
            Scope::All,
            Scope::Llm,
            Scope::Cloud,
            Scope::Agents,
            Scope::Tools,
        ];
        let latched = Vec::from(self.memory.latches());
        let latched = latched.into_iter().map(|latch| latch.scope);
        let named = self.names.iter().cloned().map(Scope::Named);
        for scope in named.chain(latched).chain(fixed) {
            let mut word = scope.to_string().to_ascii_lowercase();
            word.retain(|c| c.is_ascii_alphanumeric());
            words.entry(word).or_default().insert(scope);
        }
        words
    }

    /// Closes `scope` by a KILL of this step. The second KILL of a scope keeps its incident.
    pub(crate) fn latch(&mut self, scope: Scope, code: Step, now: Timestamp) -> (Latch, bool) {
        self.epoch += 1;
        let memory = &mut self.memory;
        memory.votes.clear();
        memory.last_kill = memory.last_kill.max(code).max(now.step());
        // The last place of a full set is kept for everything.
        let full = memory.latches.as_slice().len() >= LatchSet::MAX - 1;
        let known = memory.latches.of(&scope).is_some();
        let scope = if full && !known { Scope::All } else { scope };
        if let Some(latch) = memory.cut_again(&scope, now) {
            return (latch, true);
        }
        let mut latch = Latch {
            incident: memory.next_incident,
            scope,
            since: now,
        };
        if memory.latches.push(latch.clone()).is_err() {
            // Incident numbers have run out: one latch on everything takes the place of all.
            latch.scope = Scope::All;
            memory.latches = LatchSet::default();
            let pushed = memory.latches.push(latch.clone());
            debug_assert!(pushed.is_ok(), "an empty set takes any latch");
        }
        memory.next_incident = memory.next_number();
        (latch, false)
    }
}
