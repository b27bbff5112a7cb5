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
/// Senders and messages that are remembered.
const MAX_SENDERS: usize = 512;
const MAX_MESSAGES: usize = 512;

/// The newest of them.
#[derive(Default)]
pub(crate) struct Senders {
    all: BTreeMap<OutcomeKey, Sender>,
    seen: VecDeque<OutcomeKey>,
    answered: VecDeque<OutcomeKey>,
}

#[derive(Default)]
struct Sender {
    failed: Failed,
    answers: VecDeque<Timestamp>,
    last: Timestamp,
}

impl Senders {
    /// Whether this message, word for word, comes for the first time.
    pub(crate) fn is_new(&mut self, text: &InboundText) -> bool {
        remember(&mut self.seen, OutcomeKey::of_words(text))
    }

    /// How many more guesses this sender has.
    pub(crate) fn left(&self, text: &InboundText, limit: u32, now: Timestamp) -> usize {
        let known = self.all.get(&OutcomeKey::of_sender(text));
        known.map_or(limit as usize, |sender| sender.failed.left(limit, now))
    }

    /// Counts this sender's failures.
    pub(crate) fn failed(&mut self, text: &InboundText, tries: usize, limit: u32, now: Timestamp) {
        self.sender(text, now).failed.add(tries, limit, now);
    }

    fn sender(&mut self, text: &InboundText, now: Timestamp) -> &mut Sender {
        let key = OutcomeKey::of_sender(text);
        if self.all.len() >= MAX_SENDERS && !self.all.contains_key(&key) {
            let oldest = self.all.iter().min_by_key(|(_, sender)| sender.last);
            if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                self.all.remove(&oldest);
            }
        }
        let sender = self.all.entry(key).or_default();
        sender.last = now;
        sender
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
        let answers = &mut self.senders.sender(text, now).answers;
        answers.retain(|at| now.since(*at) < HOUR_MS);
        if answers.len() >= ANSWERS {
            return false;
        }
        if !remember(&mut self.senders.answered, OutcomeKey::of_text(text)) {
            return false;
        }
        self.senders.sender(text, now).answers.push_back(now);
        true
    }
}

/// Whether it is new; the oldest of too many goes.
fn remember(all: &mut VecDeque<OutcomeKey>, key: OutcomeKey) -> bool {
    if all.contains(&key) {
        return false;
    }
    if all.len() >= MAX_MESSAGES {
        all.pop_front();
    }
    all.push_back(key);
    true
}
