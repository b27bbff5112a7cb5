//! How many single KILL codes may still be tried, and what counts as one that failed.
//!
//! Budgets are global, so that a stolen secret of a channel buys no more guesses than a phone, and half as large for
//! each sender, so that one of them does not step up the house.

use crate::core::Core;
use crate::inbound_text::InboundText;
use crate::key::Digits;
use crate::scan::{Code, Scan};
use kill_wire::Timestamp;

impl Core {
    /// Whether guessing was seen in the last 24 hours: a KILL needs two codes or a card.
    #[must_use]
    pub fn step_up(&self, now: Timestamp) -> bool {
        self.memory.failed.left(self.rules.guesses_per_day, now) == 0
    }

    /// How many single codes of this text may be tried. One of a text that came late hits twice as many steps, so it
    /// costs two.
    pub(crate) fn single_tries(&self, text: &InboundText, now: Timestamp) -> usize {
        let global = self.memory.failed.left(self.rules.guesses_per_day, now);
        let own = self.senders.left(text, self.sender_budget(), now);
        global.min(own) / cost(text, now)
    }

    /// Counts codes that are nobody's. A good half of a pair is none of them, and nothing that is said or done here
    /// differs for it. Gives how many codes the text offered.
    pub(crate) fn count_failed(
        &mut self,
        text: &InboundText,
        scan: &Scan,
        now: Timestamp,
    ) -> usize {
        let mut people = self.people.iter();
        let six = people.any(|person| person.kill.digits() == Digits::Six);
        let offered = scan.codes.iter().copied();
        let offered: Vec<Code> = offered.filter(|code| six || code.digits == 8).collect();
        let bad = offered
            .iter()
            .filter(|code| !self.is_good(text, scan, **code));
        let tries = bad.count().min(self.single_tries(text, now)) * cost(text, now);
        self.memory
            .failed
            .add(tries, self.rules.guesses_per_day, now);
        let own = self.sender_budget();
        self.senders.failed(text, tries, own, now);
        offered.len()
    }

    /// Whether it is a code of the kind this text is about, used or not.
    fn is_good(&self, text: &InboundText, scan: &Scan, code: Code) -> bool {
        let ring = &self.ring;
        ring.kill.has(code)
            || (scan.says("restore") && (ring.restore.has(code) || ring.duress.has(code)))
            || (self.may_check_in(text, scan) && ring.check_in.has(code))
    }

    fn sender_budget(&self) -> u32 {
        self.rules.guesses_per_day.div_ceil(2)
    }
}

fn cost(text: &InboundText, now: Timestamp) -> usize {
    1 + usize::from(text.late(now).is_some())
}
