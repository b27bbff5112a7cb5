//! Whether a text proves the right to cut. Never refuses for good: guessing only makes it ask for more.

use crate::core::Core;
use crate::decision::Cut;
use crate::inbound_text::InboundText;
use crate::key::Digits;
use crate::outcomes::OutcomeKey;
use crate::people::PersonName;
use crate::reply::Reply;
use crate::scan::{Code, Scan};
use kill_wire::{Scope, Step, Timestamp};
use std::collections::BTreeSet;

/// How long the first of two codes waits for the second, and how many may wait.
const HALF_MS: u64 = 600_000;
const MAX_HALVES: usize = 64;

/// Codes that did not suffice alone. Not written down: after a restart they are sent again.
#[derive(Default)]
pub(crate) struct Halves(Vec<Half>);

struct Half {
    channel: String,
    person: PersonName,
    step: Step,
    at: Timestamp,
}

/// Whose right to cut was proven.
struct Proof {
    person: PersonName,
    /// Newest step among the codes; `None` for a card.
    step: Option<Step>,
}

impl Core {
    /// Cuts if the text holds what proves the right to.
    pub(crate) fn on_kill(
        &mut self,
        text: &InboundText,
        scan: &Scan,
        now: Timestamp,
    ) -> Option<Cut> {
        let proof = self
            .by_card(scan)
            .or_else(|| self.by_codes(text, scan, now))?;
        let mut keys = vec![OutcomeKey::of_text(text)];
        keys.extend(self.spend_all(scan, now));
        self.memory.outcomes.begin(keys);
        let mut named = scan.scopes(&self.scope_words());
        // Two different scopes contradict each other, and none says nothing: the widest holds.
        let scope = if named.len() == 1 {
            named.pop_first()
        } else {
            None
        };
        let step = proof.step.unwrap_or(now.step());
        let restores = scan
            .codes
            .iter()
            .any(|code| !self.ring.restore(*code).is_empty());
        let late = proof
            .step
            .is_some_and(|step| step < self.memory.last_restore);
        let (latch, repeated) = self.latch(scope.unwrap_or(Scope::All), step, now);
        let by = if proof.step.is_some() {
            "KILL code"
        } else {
            "card"
        };
        Some(Cut {
            latch,
            repeated,
            by: proof.person.to_string(),
            initials: proof.person.initials(),
            via: text.channel.clone(),
            why: format!("text with a {by}"),
            late,
            restore_refused: restores || scan.says("restore"),
        })
    }

    /// Cards are never throttled: 65 bits cannot be guessed.
    fn by_card(&self, scan: &Scan) -> Option<Proof> {
        let unused = scan
            .cards
            .iter()
            .filter(|card| !self.memory.card_used(card));
        let person = unused.filter_map(|card| self.ring.card(card)).next()?;
        Some(Proof {
            person: person.clone(),
            step: None,
        })
    }

    /// One code of eight digits; two once guessing was seen; of six digits one more in each case.
    fn by_codes(&mut self, text: &InboundText, scan: &Scan, now: Timestamp) -> Option<Proof> {
        let mut tries = self.memory.guesses_left(now);
        let stepped_up = tries == 0;
        let mut found: Vec<(PersonName, Step)> = Vec::new();
        for code in &scan.codes {
            let alone = code.digits == 8 && tries > 0;
            tries = tries.saturating_sub(usize::from(code.digits == 8));
            let Some((person, step)) = self.newest_unused(*code) else {
                continue;
            };
            if alone {
                return Some(Proof {
                    person,
                    step: Some(step),
                });
            }
            found.push((person, step));
        }
        self.halves.0.retain(|half| now.since(half.at) < HALF_MS);
        for (person, _) in &found {
            let waiting = self
                .halves
                .0
                .iter()
                .filter(|half| half.channel == text.channel);
            let steps: BTreeSet<Step> = waiting
                .map(|half| (&half.person, half.step))
                .chain(found.iter().map(|(person, step)| (person, *step)))
                .filter(|(whose, step)| *whose == person && !self.memory.kill_used(whose, *step))
                .map(|(_, step)| step)
                .collect();
            let six = self
                .people
                .get(person.as_str())
                .is_some_and(|p| p.kill.digits() == Digits::Six);
            if steps.len() >= 2 + usize::from(six && stepped_up) {
                let person = person.clone();
                for step in &steps {
                    self.memory.use_kill(&person, *step, now.step());
                }
                return Some(Proof {
                    person,
                    step: steps.last().copied(),
                });
            }
        }
        self.halves.keep(&text.channel, found, now);
        None
    }

    fn newest_unused(&self, code: Code) -> Option<(PersonName, Step)> {
        let all = self.ring.kill(code).iter();
        let unused = all.filter(|minted| !self.memory.kill_used(&minted.person, minted.step));
        let newest = unused.max_by_key(|minted| minted.step)?;
        Some((newest.person.clone(), newest.step))
    }

    /// Spends every KILL code and card in the text, so that no second delivery finds one unused.
    fn spend_all(&mut self, scan: &Scan, now: Timestamp) -> Vec<OutcomeKey> {
        let mut keys = Vec::new();
        for code in &scan.codes {
            for minted in self.ring.kill(*code) {
                self.memory
                    .use_kill(&minted.person, minted.step, now.step());
                keys.push(OutcomeKey::of_code("kill", &minted.person, minted.step));
            }
        }
        for card in scan
            .cards
            .iter()
            .filter(|card| self.ring.card(card).is_some())
        {
            self.memory.use_card(card);
            keys.push(OutcomeKey::of_card(card));
        }
        keys
    }

    /// `Some` when the text holds a KILL code or card that was used before, with what was answered then.
    pub(crate) fn used_before(&self, scan: &Scan) -> Option<Option<Reply>> {
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

impl Halves {
    fn keep(&mut self, channel: &str, found: Vec<(PersonName, Step)>, at: Timestamp) {
        for (person, step) in found {
            self.0.retain(|half| {
                half.channel != channel || half.person != person || half.step != step
            });
            if self.0.len() >= MAX_HALVES {
                self.0.remove(0);
            }
            self.0.push(Half {
                channel: channel.to_owned(),
                person,
                step,
                at,
            });
        }
    }
}
