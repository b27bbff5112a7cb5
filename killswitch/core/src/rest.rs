//! Texts that neither cut nor ask to restore: repeats, STATUS, wrong codes. And what is remembered of all.

use crate::core::Core;
use crate::decision::{Decision, Refused, Why};
use crate::inbound_text::InboundText;
use crate::key::Digits;
use crate::memory::GUESSES;
use crate::outcomes::OutcomeKey;
use crate::reply;
use crate::scan::{Code, Scan};
use crate::segment::Reply;
use kill_wire::Timestamp;

impl Core {
    /// Stores what was answered to a text, for its duplicates.
    pub fn remember(&mut self, text: &InboundText, outcome: &Reply) {
        let key = OutcomeKey::of_text(text);
        let known = self.memory.outcomes.number(&key);
        let number = known.unwrap_or_else(|| self.memory.outcomes.begin([key]));
        self.memory.outcomes.end(number, outcome.clone());
    }

    /// A text that does not cut.
    pub(crate) fn on_other(&mut self, text: &InboundText, scan: &Scan, now: Timestamp) -> Decision {
        let key = OutcomeKey::of_text(text);
        if let Some(number) = self.memory.outcomes.number(&key) {
            let reply = self.memory.outcomes.answer(number).cloned();
            return Decision::Duplicate { reply };
        }
        let outcome = self.memory.outcomes.begin([key]);
        if scan.says("restore") {
            self.on_restore(text, scan, outcome, now)
        } else {
            self.on_rest(text, scan, now)
        }
    }

    /// A text that neither cuts nor asks to restore.
    fn on_rest(&mut self, text: &InboundText, scan: &Scan, now: Timestamp) -> Decision {
        if let Some(reply) = self.used_before(scan) {
            return Decision::Duplicate { reply };
        }
        let stepped_up = self.memory.step_up(now);
        let failed = self.count_failed(scan, now);
        let asker = self.sender(text);
        if scan.says("status")
            && let Some(by) = asker
        {
            return Decision::Status { by };
        }
        let why = match (failed, stepped_up) {
            (0, _) => Why::NoCode,
            (_, false) => Why::NotAccepted,
            (_, true) => Why::StepUp,
        };
        self.refuse(text, why)
    }

    /// Counts codes that are nobody's. A good half of a pair is none of them, and nothing that is
    /// said or done here differs for it.
    pub(crate) fn count_failed(&mut self, scan: &Scan, now: Timestamp) -> usize {
        let mut people = self.people.iter();
        let six = people.any(|person| person.kill.digits() == Digits::Six);
        let tried = scan.codes.iter().copied();
        let tried = tried.filter(|code| six || code.digits == 8);
        let (good, bad): (Vec<Code>, Vec<Code>) =
            tried.partition(|code| !self.ring.kill(*code).is_empty());
        self.memory.failed(bad.len().min(GUESSES), now);
        good.len() + bad.len()
    }

    /// Refuses; answers only a registered sender.
    pub(crate) fn refuse(&self, text: &InboundText, why: Why) -> Decision {
        let known = self.sender(text).is_some();
        let reply = known.then(|| reply::refused(&why, &self.memory.latches));
        Decision::Refused(Refused { why, reply })
    }

    fn sender(&self, text: &InboundText) -> Option<String> {
        let person = self.people.sender(text.sender.as_deref()?)?;
        Some(person.name.to_string())
    }

    /// `Some` when the text holds a KILL code or card that was used before, with what was answered then.
    fn used_before(&self, scan: &Scan) -> Option<Option<Reply>> {
        let codes = scan.codes.iter().flat_map(|code| self.ring.kill(*code));
        let codes = codes
            .filter(|minted| self.memory.kill_used(&minted.person, minted.step))
            .map(|minted| OutcomeKey::of_code("kill", &minted.person, minted.step));
        let cards = scan.cards.iter().filter(|card| self.memory.card_used(card));
        let key = codes.chain(cards.map(OutcomeKey::of_card)).next()?;
        let number = self.memory.outcomes.number(&key);
        Some(number.and_then(|n| self.memory.outcomes.answer(n)).cloned())
    }
}
