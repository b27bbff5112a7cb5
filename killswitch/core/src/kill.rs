//! Whether a text proves the right to cut. Never refuses for good: guessing only makes it ask for more.

use crate::core::Core;
use crate::decision::Cut;
use crate::inbound_text::InboundText;
use crate::keyring::Minted;
use crate::outcomes::OutcomeKey;
use crate::scan::{Code, Scan};
use crate::stepped_up::Proof;
use kill_wire::{Scope, Timestamp};

impl Core {
    /// Cuts if the text holds what proves the right to.
    pub(crate) fn on_kill(
        &mut self,
        text: &InboundText,
        scan: &Scan,
        now: Timestamp,
    ) -> Option<Cut> {
        let proof = self.by_one_code(text, scan, now);
        let proof = proof.or_else(|| self.by_card(scan));
        let Proof { person, step } = proof.or_else(|| self.by_more_codes(text, scan, now))?;
        let mut keys = vec![OutcomeKey::of_text(text)];
        self.spend_codes(scan, now, &mut keys);
        self.spend_cards(scan, &mut keys);
        self.memory.outcomes.begin(keys);
        let mut named = scan.scopes(&self.scope_words());
        // Two different scopes contradict each other, and none says nothing: the widest holds.
        let one = (named.len() == 1).then(|| named.pop_first()).flatten();
        let scope = one.unwrap_or(Scope::All);
        let (latch, repeated) = self.latch(scope, step.unwrap_or(now.step()), now);
        let mut codes = scan.codes.iter();
        let with = step.map_or("card", |_| "KILL code");
        Some(Cut {
            latch,
            repeated,
            by: person.to_string(),
            initials: person.initials(),
            via: text.channel.clone(),
            why: format!("text with a {with}"),
            late: step.is_some_and(|step| step < self.memory.last_restore),
            restore_refused: scan.says("restore") || codes.any(|code| self.ring.restore.has(*code)),
        })
    }

    /// A code of eight digits suffices alone, among as many as may still fail today.
    fn by_one_code(&self, text: &InboundText, scan: &Scan, now: Timestamp) -> Option<Proof> {
        let eight = scan.codes.iter().filter(|code| code.digits == 8);
        let mut tried = eight.take(self.single_tries(text, now));
        let Minted { person, step } = tried.find_map(|code| self.newest_unused(*code))?;
        let step = Some(step);
        Some(Proof { person, step })
    }

    /// The newest step of anybody in which this is an unused KILL code.
    pub(crate) fn newest_unused(&self, code: Code) -> Option<Minted> {
        let mut all = self.ring.kill.find(code);
        all.find(|minted| !self.memory.used_kill.has(&minted.person, minted.step))
    }

    /// Spends every KILL code in the text, so that no second delivery finds one unused.
    fn spend_codes(&mut self, scan: &Scan, now: Timestamp, keys: &mut Vec<OutcomeKey>) {
        for Minted { person, step } in scan
            .codes
            .iter()
            .flat_map(|code| self.ring.kill.find(*code))
        {
            self.memory.used_kill.spend(&person, step, now.step());
            keys.push(OutcomeKey::of_code("kill", &person, step));
        }
    }
}
