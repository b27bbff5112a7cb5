//! The ways to cut that guessing cannot close: a card, or several codes of one person.

use crate::core::Core;
use crate::inbound_text::InboundText;
use crate::key::Digits;
use crate::keyring::Minted;
use crate::outcomes::OutcomeKey;
use crate::people::PersonName;
use crate::scan::{Code, Scan};
use kill_wire::{Step, Timestamp};
use std::collections::BTreeSet;

/// Codes of each length that one text may put together; a text with two codes in groups of two digits needs five.
pub(crate) const LOOKED_AT: usize = 6;
/// Codes in one text are two in a row, or have one between them.
pub(crate) const GAP: usize = 2;
/// Codes a day that may wait for others in later texts: one in five minutes. Without a bound, a flood of guesses would
/// soon hold two that fit each other. One text that holds both needs no such budget.
pub(crate) const HALVES_PER_DAY: u32 = 288;

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

    /// Two codes of one KILL key, in one text or several of one channel; with six digits and after guessing three.
    pub(crate) fn by_more_codes(
        &mut self,
        text: &InboundText,
        scan: &Scan,
        now: Timestamp,
    ) -> Option<Proof> {
        let stepped_up = self.single_tries(text, now) == 0;
        let looked_at: Vec<Code> = [6, 8]
            .into_iter()
            .flat_map(|digits| {
                let these = scan.codes.iter().filter(move |code| code.digits == digits);
                these.take(LOOKED_AT).copied()
            })
            .collect();
        let good = looked_at
            .iter()
            .filter_map(|code| self.newest_unused(*code));
        let here: Vec<Minted> = good.collect();
        self.halves.forget(now);
        // Paid for whether good or not: what is free for a good code would tell it from a bad one.
        let (all, a_day) = (looked_at.len(), HALVES_PER_DAY);
        let may_wait = self.memory.halves.take(all, a_day, now) == all;
        if may_wait {
            self.halves.add(&text.channel, &here, now);
        }
        let people: BTreeSet<PersonName> = here.iter().map(|half| half.person.clone()).collect();
        for person in people {
            let needed = self.codes_needed(&person, stepped_up);
            let own = here.iter().filter(|half| half.person == person);
            let together = in_a_row(own.map(|half| half.step).collect(), needed);
            let waiting = || {
                let waiting = self.halves.of(&text.channel, &person);
                let unused = waiting.filter(|step| !self.memory.used_kill.has(&person, *step));
                let steps: BTreeSet<Step> = unused.collect();
                (may_wait && steps.len() >= needed).then_some(steps)
            };
            let Some(steps) = together.or_else(waiting) else {
                continue;
            };
            for step in &steps {
                self.memory.used_kill.spend(&person, *step, now.step());
            }
            let step = steps.last().copied();
            return Some(Proof { person, step });
        }
        None
    }

    fn codes_needed(&self, person: &PersonName, stepped_up: bool) -> usize {
        let owner = self.people.get(person.as_str());
        let six = owner.is_some_and(|owner| owner.kill.digits() == Digits::Six);
        2 + usize::from(six && stepped_up)
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

/// As many of them as are needed, each at most [`GAP`] steps after the one before.
fn in_a_row(steps: BTreeSet<Step>, needed: usize) -> Option<BTreeSet<Step>> {
    let steps: Vec<Step> = steps.into_iter().collect();
    let near = |run: &&[Step]| {
        let mut pairs = run.iter().zip(run.iter().skip(1));
        pairs.all(|(a, b)| a.get().abs_diff(b.get()) <= GAP as u64)
    };
    let run = steps.windows(needed).rev().find(near)?;
    Some(run.iter().copied().collect())
}
