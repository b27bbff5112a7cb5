//! Whether a text or the lever may restore. Exact or nothing: no guess, no widening, no old code.

use crate::core::Core;
use crate::decision::{Decision, Opening, Refused, Released, Restore, RestoreSeal, Why};
use crate::inbound_text::{InboundText, Trust};
use crate::keyring::Minted;
use crate::memory::{Memory, RESTORE_TRIES};
use crate::outcomes::OutcomeKey;
use crate::people::PersonName;
use crate::printable::printable;
use crate::reply;
use crate::scan::{Code, Scan};
use crate::segment::Reply;
use kill_wire::{Incident, Latch, Scope, Step, Timestamp};

/// A good RESTORE or duress code.
struct Proven {
    minted: Minted,
    duress: bool,
}

/// Why a code was not taken for a change of people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotVouched {
    /// Not in this house.
    #[error(
        "this house asks for two people or knows duress codes: people and keys are changed at the machine, with `portcullis codes`"
    )]
    AtTheMachine,
    /// The code is not good.
    #[error("{0}")]
    Refused(Why),
}

impl From<Why> for NotVouched {
    fn from(why: Why) -> Self {
        Self::Refused(why)
    }
}

/// For which scope, by which way, answered under which number.
struct Asked {
    scope: Result<Scope, Why>,
    via: String,
    outcome: u16,
    now: Timestamp,
}

impl Core {
    /// A text with the word RESTORE and no good KILL code.
    pub(crate) fn on_restore(
        &mut self,
        text: &InboundText,
        scan: &Scan,
        outcome: u16,
        now: Timestamp,
    ) -> Decision {
        let mut named = scan.scopes(&self.scope_words());
        let one = (named.len() == 1).then(|| named.pop_first()).flatten();
        let one = one.filter(|scope| scan.spells(scope));
        // Where no text may restore, its codes are not looked at: guesses there can neither hit nor lock.
        if let Err(why) = self.by_text(text, one.as_ref()) {
            return self.refuse(text, why);
        }
        if !self.restore_locked(now)
            && let Some(reply) = self.restored_before(scan)
        {
            return Decision::Duplicate { reply };
        }
        let asked = Asked {
            scope: one.ok_or(Why::NoScope),
            via: text.channel.clone(),
            outcome,
            now,
        };
        let proven = match self.restore_code(scan, now) {
            Ok(proven) => proven,
            Err(why) => return self.refuse(text, why),
        };
        match self.open(proven, asked) {
            Ok(Opening::Now(restore)) => Decision::Restore(restore),
            Ok(Opening::Held(held)) => Decision::Held(held),
            Ok(Opening::Feigned(feigned)) => Decision::Feigned(feigned),
            // The code was good, so whoever sent it is answered.
            Err(why) => Decision::Refused(self.refused(why)),
        }
    }

    /// Restores by the local lever, with a RESTORE code as anywhere.
    pub fn lever_restore(
        &mut self,
        scope: &Scope,
        code: &str,
        by: &str,
        now: Timestamp,
    ) -> Result<Opening, Refused> {
        self.prepare(now);
        let scan = Scan::of(code.get(..code.floor_char_boundary(64)).unwrap_or_default());
        let asked = Asked {
            scope: Ok(scope.clone()),
            via: format!("lever ({})", printable(by, 24)),
            outcome: self.memory.outcomes.begin([]),
            now,
        };
        let opened = self.restore_code(&scan, now);
        let opened = opened.and_then(|proven| self.open(proven, asked));
        opened.map_err(|why| self.refused(why))
    }

    /// A RESTORE code spent on something else than a restore: whoever may restore agrees that the people of the house
    /// change. It counts as one for a restore does: newer than the last KILL, once, and wrong ones lead to the lock.
    ///
    /// A house that asks for two people, or knows duress codes, is refused before any code is looked at: one code must
    /// not undo the first, and a pretence would be seen through.
    pub fn vouch(&mut self, code: &str, now: Timestamp) -> Result<PersonName, NotVouched> {
        if self.rules.two_person || self.rules.duress {
            return Err(NotVouched::AtTheMachine);
        }
        self.prepare(now);
        let scan = Scan::of(code.get(..code.floor_char_boundary(64)).unwrap_or_default());
        let Proven { minted, .. } = self.restore_code(&scan, now)?;
        self.newer_than_kill(minted.step, now)?;
        let Minted { person, step } = minted;
        self.memory
            .used_restore
            .spend_short(&person, step, now.step());
        self.memory.restore_failures = 0;
        Ok(person)
    }

    fn refused(&self, why: Why) -> Refused {
        let reply = Some(reply::refused(&why, &self.memory.latches()));
        Refused { why, reply }
    }

    /// Whether a text of this channel may restore this scope at all.
    fn by_text(&self, text: &InboundText, scope: Option<&Scope>) -> Result<(), Why> {
        if text.trust == Trust::C {
            return Err(Why::Untrusted);
        }
        if self.rules.by_text(&text.channel, scope) {
            return Ok(());
        }
        Err(scope.map_or(Why::NoScope, |scope| Why::NotByText(scope.clone())))
    }

    /// What a good code comes to.
    fn open(&mut self, proven: Proven, asked: Asked) -> Result<Opening, Why> {
        let Proven { minted, duress } = proven;
        let Asked {
            scope,
            via,
            outcome,
            now,
        } = asked;
        let scope = scope?;
        // Who pretended before is told what they were told then.
        let shown = if duress {
            self.shown_to(minted.person.as_str())
        } else {
            self.memory.latches()
        };
        let latch = shown.of(&scope).cloned().ok_or(Why::NotCut(scope))?;
        self.newer_than_kill(minted.step, now)?;
        let other = if self.rules.two_person {
            match self.seconded(&minted.person, &latch.scope, now) {
                Some(other) => other,
                None => {
                    let held = self.hold(&latch, &minted, duress, outcome, via, now);
                    return Ok(Opening::Held(held));
                }
            }
        } else {
            false
        };
        Ok(if duress || other {
            Opening::Feigned(self.feign(&latch, &minted, duress, outcome, via, now))
        } else {
            Opening::Now(self.sealed(latch, minted, outcome, via))
        })
    }

    /// The memory as it will be when this restore is done: write it down, then [`Core::commit`].
    #[must_use]
    pub fn recorded(&self, seal: &RestoreSeal, now: Timestamp) -> Memory {
        let mut memory = self.memory.clone();
        self.carry_out(&mut memory, seal, now);
        memory
    }

    /// Releases the latch, after that was recorded on disk. A cut or another seal that came between
    /// wins: then what was recorded must be written over with [`Core::memory`].
    pub fn commit(&mut self, seal: RestoreSeal, now: Timestamp) -> Released {
        let mut memory = self.memory.clone();
        let released = self.carry_out(&mut memory, &seal, now);
        self.memory = memory;
        let remaining = self.memory.latches();
        let overtaken = released.is_none();
        let refused = || reply::refused(&Why::TooOld, &remaining);
        Released {
            text: released.unwrap_or_else(refused),
            latch: seal.latch,
            incidents: seal.incidents,
            remaining,
            overtaken,
        }
    }

    /// Someone at the machine lets RESTORE be tried again.
    pub fn clear_restore_lock(&mut self) {
        self.memory.restore_failures = 0;
        self.memory.restore_failed.clear();
    }

    fn carry_out(&self, memory: &mut Memory, seal: &RestoreSeal, now: Timestamp) -> Option<Reply> {
        let RestoreSeal {
            latch,
            latches,
            incidents,
            person,
            step,
            epoch,
            outcome,
        } = seal;
        if *epoch != self.epoch || memory.used_restore.has(person, *step) {
            return None;
        }
        if memory.release(latches) == 0 {
            return None;
        }
        memory.used_restore.spend_short(person, *step, now.step());
        memory.last_restore = memory.last_restore.max(*step);
        memory.restore_failures = 0;
        memory.votes.retain(|vote| *vote.scope() != latch.scope);
        memory
            .feigned
            .retain(|(_, incident)| !incidents.contains(incident));
        let text = reply::restored(latch, &person.initials(), &memory.latches(), now);
        let code = OutcomeKey::of_code("restore", person, *step);
        memory.outcomes.join(*outcome, code);
        memory.outcomes.end(*outcome, text.clone());
        Some(text)
    }

    /// Whether RESTORE codes are not looked at now: too many failed in a row, or today.
    #[must_use]
    pub fn restore_locked(&self, now: Timestamp) -> bool {
        self.memory.restore_locked() || self.restore_tries(now) == 0
    }

    fn restore_tries(&self, now: Timestamp) -> usize {
        let in_a_row = RESTORE_TRIES.saturating_sub(self.memory.restore_failures);
        let today = self.rules.restore_guesses_per_day;
        self.memory
            .restore_failed
            .left(today, now)
            .min(in_a_row as usize)
    }

    /// The newest unused RESTORE code in it. Counts what is tried and locks in the end.
    fn restore_code(&mut self, scan: &Scan, now: Timestamp) -> Result<Proven, Why> {
        let offered = eight(scan).count();
        // As many as may still fail, so that one text is worth no more tries than many.
        let tried: Vec<Code> = eight(scan).take(self.restore_tries(now)).collect();
        let real = tried.iter().flat_map(|code| self.ring.restore.find(*code));
        let real = real.filter(|m| !self.memory.used_restore.has(&m.person, m.step));
        if let Some(minted) = real.max_by_key(|minted| minted.step) {
            return Ok(Proven {
                minted,
                duress: false,
            });
        }
        let feigned = tried.iter().filter(|_| self.rules.duress);
        let feigned = feigned.flat_map(|code| self.ring.duress.find(*code));
        let mut feigned = feigned.filter(|m| !self.memory.used_duress.has(&m.person, m.step));
        if let Some(minted) = feigned.next() {
            return Ok(Proven {
                minted,
                duress: true,
            });
        }
        let locked = self.restore_locked(now);
        // Past today's budget they are not looked at, and still lead to the lock.
        let failures = u32::try_from(offered).unwrap_or(RESTORE_TRIES);
        let in_a_row = self.memory.restore_failures.saturating_add(failures);
        self.memory.restore_failures = in_a_row.min(RESTORE_TRIES);
        let today = self.rules.restore_guesses_per_day;
        self.memory.restore_failed.add(tried.len(), today, now);
        Err(match (offered, locked) {
            (_, true) => Why::Locked,
            (0, false) => Why::NoCode,
            (_, false) => Why::NotAccepted,
        })
    }

    /// Whether a RESTORE code was minted after the last KILL, by its code and by its arrival.
    fn newer_than_kill(&mut self, step: Step, now: Timestamp) -> Result<(), Why> {
        // A clock that had run ahead left a KILL in the future; it counts as if it came just now.
        let newest = Step::new(now.step().get().saturating_add(1));
        self.memory.last_kill = self.memory.last_kill.min(newest);
        if step > self.memory.last_kill {
            Ok(())
        } else {
            Err(Why::TooOld)
        }
    }

    /// `Some` when the text holds a RESTORE code that was used, with what was answered then.
    fn restored_before(&self, scan: &Scan) -> Option<Option<Reply>> {
        let (real, feigned) = (&self.memory.used_restore, &self.memory.used_duress);
        let real = |code| {
            let mut all = self.ring.restore.find(code);
            let used = all.find(|m| real.has(&m.person, m.step))?;
            Some(OutcomeKey::of_code("restore", &used.person, used.step))
        };
        let feigned = |code| {
            let mut all = self.ring.duress.find(code);
            let used = all.find(|m| feigned.has(&m.person, m.step))?;
            Some(OutcomeKey::of_code("duress", &used.person, used.step))
        };
        let key = eight(scan).find_map(|code| real(code).or_else(|| feigned(code)))?;
        Some(self.memory.outcomes.answer_to(&key).cloned())
    }

    /// A new seal makes older ones void, so that what is written down for one of them never leaves
    /// the disk more open than the memory.
    fn sealed(&mut self, latch: Latch, minted: Minted, outcome: u16, via: String) -> Restore {
        self.epoch += 1;
        let Minted { person, step } = minted;
        let latches = self.memory.on_scope(&latch.scope);
        let incidents: Vec<Incident> = latches.iter().map(|latch| latch.incident).collect();
        Restore {
            by: person.to_string(),
            initials: person.initials(),
            via,
            latch: latch.clone(),
            incidents: incidents.clone(),
            seal: RestoreSeal {
                latch,
                latches,
                incidents,
                person,
                step,
                epoch: self.epoch,
                outcome,
            },
        }
    }
}

/// RESTORE codes have eight digits.
fn eight(scan: &Scan) -> impl Iterator<Item = Code> + Clone {
    scan.codes.iter().copied().filter(|code| code.digits == 8)
}
