//! What became of texts and codes, so that a second delivery gets the first one's answer and does nothing.

use crate::{cards::CardHash, inbound_text::InboundText, people::PersonName, segment::Reply};
use data_encoding::BASE64URL_NOPAD;
use kill_wire::Step;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::VecDeque;

const MAX_KEYS: usize = 208;
const MAX_TEXTS: usize = 32;

/// Numbers start over here: long before, everything that bore a number has been forgotten.
const NUMBERS: u16 = 10_000;

/// First 64 bits of SHA-256 of a message id, a sender or a used code.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct OutcomeKey(String);

impl OutcomeKey {
    pub(crate) fn of_text(text: &InboundText) -> Self {
        Self::hash(&["text", &text.channel, &text.id])
    }

    /// The message word for word.
    pub(crate) fn of_words(text: &InboundText) -> Self {
        Self::hash(&["words", &text.channel, &text.id, &text.text])
    }

    pub(crate) fn of_sender(text: &InboundText) -> Self {
        let sender = text.sender.as_deref().unwrap_or_default();
        Self::hash(&["sender", &text.channel, sender])
    }

    pub(crate) fn of_code(verb: &str, person: &PersonName, step: Step) -> Self {
        Self::hash(&[verb, person.as_str(), &step.get().to_string()])
    }

    pub(crate) fn of_card(card: &CardHash) -> Self {
        Self::hash(&["card", &card.short()])
    }

    fn hash(parts: &[&str]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        }
        let hash = hash.finalize();
        Self(BASE64URL_NOPAD.encode(hash.get(..8).unwrap_or_default()))
    }
}

/// The newest of them; forgets the oldest, and first those that never had an answer.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Outcomes {
    next: u16,
    keys: VecDeque<(OutcomeKey, u16)>,
    texts: VecDeque<(u16, Reply)>,
}

impl Outcomes {
    /// Starts a new outcome known by these keys.
    pub(crate) fn begin(&mut self, keys: impl IntoIterator<Item = OutcomeKey>) -> u16 {
        let number = self.next % NUMBERS;
        self.next = (number + 1) % NUMBERS;
        for key in keys {
            self.join(number, key);
        }
        number
    }

    /// Makes an outcome known by one more key.
    pub(crate) fn join(&mut self, number: u16, key: OutcomeKey) {
        self.keys.retain(|(old, _)| *old != key);
        if self.keys.len() >= MAX_KEYS {
            let mut oldest = self.keys.iter();
            let unanswered = oldest.position(|(_, n)| *n != number && self.answer(*n).is_none());
            self.keys.remove(unanswered.unwrap_or(0));
        }
        self.keys.push_back((key, number));
    }

    /// Number of the outcome this key belongs to.
    pub(crate) fn number(&self, key: &OutcomeKey) -> Option<u16> {
        self.keys.iter().find(|(k, _)| k == key).map(|(_, n)| *n)
    }

    /// What was answered to what this key belongs to.
    pub(crate) fn answer_to(&self, key: &OutcomeKey) -> Option<&Reply> {
        self.answer(self.number(key)?)
    }

    /// What was answered.
    pub(crate) fn answer(&self, number: u16) -> Option<&Reply> {
        let stored = self.texts.iter().find(|(n, _)| *n == number);
        stored.map(|(_, reply)| reply)
    }

    /// Stores what was answered.
    pub(crate) fn end(&mut self, number: u16, reply: Reply) {
        self.texts.retain(|(n, _)| *n != number);
        if self.texts.len() >= MAX_TEXTS {
            self.texts.pop_front();
        }
        self.texts.push_back((number, reply));
    }

    /// Whether a file's content keeps the bounds.
    pub(crate) fn bounded(&self) -> bool {
        self.keys.len() <= MAX_KEYS && self.texts.len() <= MAX_TEXTS
    }
}
