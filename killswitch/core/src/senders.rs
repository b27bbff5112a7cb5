//! Who sent how much: guesses of one sender, answers to one sender, and messages that were seen.
//!
//! A sender's number proves nothing: these bounds spare the house's budget, they are never the only ones.
//! Kept in memory alone; a restart forgets them, and what must hold then is counted elsewhere.

use crate::budget::Failed;
use crate::core::Core;
use crate::inbound_text::InboundText;
use crate::outcomes::OutcomeKey;
use kill_wire::Timestamp;
use std::collections::{BTreeMap, VecDeque};

/// Answers to one sender an hour.
const ANSWERS: usize = 10;
const HOUR_MS: u64 = 3_600_000;
/// Half as many senders, and half as many messages, as are remembered.
const HALF: usize = 256;

/// The newest of them.
#[derive(Default)]
pub(crate) struct Senders {
    all: Newest<Sender>,
    seen: Newest<()>,
    answered: Newest<()>,
}

#[derive(Default)]
struct Sender {
    failed: Failed,
    answers: VecDeque<Timestamp>,
}

/// Two halves: when the younger is full, the older is forgotten. Takes the same time however many there are.
struct Newest<T> {
    young: BTreeMap<OutcomeKey, T>,
    old: BTreeMap<OutcomeKey, T>,
}

impl<T: Default> Default for Newest<T> {
    fn default() -> Self {
        Self {
            young: BTreeMap::new(),
            old: BTreeMap::new(),
        }
    }
}

impl<T: Default> Newest<T> {
    fn get(&self, key: &OutcomeKey) -> Option<&T> {
        self.young.get(key).or_else(|| self.old.get(key))
    }

    /// What belongs to the key, which is the youngest now.
    fn touch(&mut self, key: OutcomeKey) -> &mut T {
        if !self.young.contains_key(&key) {
            let known = self.old.remove(&key).unwrap_or_default();
            if self.young.len() >= HALF {
                self.old = std::mem::take(&mut self.young);
            }
            self.young.insert(key.clone(), known);
        }
        self.young.entry(key).or_default()
    }

    /// Whether it is new.
    fn is_new(&mut self, key: OutcomeKey) -> bool {
        let new = self.get(&key).is_none();
        self.touch(key);
        new
    }
}

impl Senders {
    /// Whether this message, word for word, comes for the first time.
    pub(crate) fn is_new(&mut self, text: &InboundText) -> bool {
        self.seen.is_new(OutcomeKey::of_words(text))
    }

    /// How many more guesses this sender has.
    pub(crate) fn left(&self, text: &InboundText, limit: u32, now: Timestamp) -> usize {
        let known = self.all.get(&OutcomeKey::of_sender(text));
        known.map_or(limit as usize, |sender| sender.failed.left(limit, now))
    }

    /// Counts this sender's failures.
    pub(crate) fn failed(&mut self, text: &InboundText, tries: usize, limit: u32, now: Timestamp) {
        let sender = self.all.touch(OutcomeKey::of_sender(text));
        sender.failed.add(tries, limit, now);
    }
}

impl Core {
    /// Whether an answer to this text may be sent to its sender: once for a message, ten an hour for a sender. Counts
    /// it as sent. Not for answers that go back in the provider's own call: those cost nothing, and a call that is made
    /// again got none.
    pub fn may_reply(&mut self, text: &InboundText, now: Timestamp) -> bool {
        if text.sender.is_none() {
            return false;
        }
        let Senders { all, answered, .. } = &mut self.senders;
        let answers = &mut all.touch(OutcomeKey::of_sender(text)).answers;
        answers.retain(|at| now.since(*at) < HOUR_MS);
        let may = answers.len() < ANSWERS && answered.is_new(OutcomeKey::of_text(text));
        if may {
            answers.push_back(now);
        }
        may
    }
}
