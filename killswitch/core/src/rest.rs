//! Texts that do not cut: repeats, STATUS, wrong codes. And what is remembered of all.

use crate::core::Core;
use crate::decision::{Decision, Refused, Why};
use crate::inbound_text::InboundText;
use crate::outcomes::OutcomeKey;
use crate::reply;
use crate::scan::Scan;
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
        let step_up = self.single_tries(text, now) == 0;
        // The same message again was counted; other words under a known id are guesses like any.
        let offered = if self.senders.is_new(text) {
            self.count_failed(text, scan, now)
        } else {
            scan.codes.len()
        };
        let key = OutcomeKey::of_text(text);
        if let Some(number) = self.memory.outcomes.number(&key) {
            let reply = self.memory.outcomes.answer(number).cloned();
            return Decision::Duplicate { reply };
        }
        let outcome = self.memory.outcomes.begin([key]);
        if scan.says("restore") {
            return self.on_restore(text, scan, outcome, now);
        }
        if let Some(reply) = self.used_before(scan) {
            return Decision::Duplicate { reply };
        }
        if let Some(decision) = self.on_check_in(text, scan, outcome, now) {
            return decision;
        }
        if scan.says("status")
            && let Some(by) = self.sender(text)
        {
            return self.status(by);
        }
        let why = match (offered, step_up) {
            (0, _) => Why::NoCode,
            (_, false) => Why::NotAccepted,
            (_, true) => Why::StepUp,
        };
        self.refuse(text, why)
    }

    /// Refuses; answers only a registered sender.
    pub(crate) fn refuse(&self, text: &InboundText, why: Why) -> Decision {
        let known = self.sender(text).is_some();
        let reply = known.then(|| reply::refused(&why, &self.memory.latches()));
        Decision::Refused(Refused { why, reply })
    }

    fn sender(&self, text: &InboundText) -> Option<String> {
        let person = self.people.sender(text.sender.as_deref()?)?;
        Some(person.name.to_string())
    }

    /// `Some` when the text holds a KILL code or card that was used before, with what was answered then.
    fn used_before(&self, scan: &Scan) -> Option<Option<Reply>> {
        let codes = scan
            .codes
            .iter()
            .flat_map(|code| self.ring.kill.find(*code));
        let codes = codes
            .filter(|minted| self.memory.used_kill.has(&minted.person, minted.step))
            .map(|minted| OutcomeKey::of_code("kill", &minted.person, minted.step));
        let cards = scan.cards.iter().filter(|card| self.memory.card_used(card));
        let key = codes.chain(cards.map(OutcomeKey::of_card)).next()?;
        Some(self.memory.outcomes.answer_to(&key).cloned())
    }
}
