//! The ways to cut that guessing cannot close: a card, or several codes of one person.

use crate::core::Core;
use crate::inbound_text::InboundText;
use crate::key::Digits;
use crate::outcomes::OutcomeKey;
use crate::people::PersonName;
use crate::scan::Scan;
use kill_wire::{Step, Timestamp};
use std::collections::BTreeSet;

/// Whose right to cut was proven.
pub(crate) struct Proof {
    pub(crate) person: PersonName,
    /// Newest step among the codes; `None` for a card.
    pub(crate) step: Option<Step>,
}

impl Core {
    /// Cards are never throttled: 65 bits cannot be guessed.
    pub(crate) fn by_card(&self, scan: &Scan) -> Option<Proof> {
        let mut all = scan.cards.iter();
        let person = all.find_map(|card| {
            let person = self.people.holder(card)?;
            (!self.memory.card_used(card)).then_some(person)
        })?;
        let person = person.name.clone();
        Some(Proof { person, step: None })
    }

    /// Two codes of one KILL key, in one text or two of one channel; with six digits and after
    /// guessing three.
    pub(crate) fn by_more_codes(
        &mut self,
        text: &InboundText,
        scan: &Scan,
        now: Timestamp,
    ) -> Option<Proof> {
        let codes = scan.codes.iter();
        let found: Vec<_> = codes.filter_map(|code| self.newest_unused(*code)).collect();
        self.halves.forget(now);
        self.halves.add(&text.channel, &found, now);
        let stepped_up = self.memory.step_up(now);
        for (person, _) in found {
            let here = self.halves.of(&text.channel, &person);
            let steps = here.filter(|step| !self.memory.kill_used(&person, *step));
            let steps: BTreeSet<Step> = steps.collect();
            let owner = self.people.get(person.as_str());
            let six = owner.is_some_and(|owner| owner.kill.digits() == Digits::Six);
            if steps.len() >= 2 + usize::from(six && stepped_up) {
                for step in &steps {
                    self.memory.use_kill(&person, *step, now.step());
                }
                let step = steps.last().copied();
                return Some(Proof { person, step });
            }
        }
        None
    }

    /// Spends every card in the text.
    pub(crate) fn spend_cards(&mut self, scan: &Scan, keys: &mut Vec<OutcomeKey>) {
        let all = scan.cards.iter();
        for card in all.filter(|card| self.people.holder(card).is_some()) {
            self.memory.use_card(card);
            keys.push(OutcomeKey::of_card(card));
        }
    }
}
