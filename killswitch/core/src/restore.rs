//! Whether a text or the lever may restore. Exact or nothing: no guess, no widening, no old code.

use crate::core::Core;
use crate::decision::{Decision, Refused, Released, Restore, RestoreSeal, Why};
use crate::inbound_text::{InboundText, Trust};
use crate::keyring::Minted;
use crate::lever::printable;
use crate::memory::{Memory, RESTORE_TRIES};
use crate::outcomes::OutcomeKey;
use crate::reply;
use crate::scan::{Code, Scan};
use crate::segment::Reply;
use kill_wire::{Latch, Scope, Step, Timestamp};

impl Core {
    /// A text with the word RESTORE and no good KILL code.
    pub(crate) fn on_restore(
        &mut self,
        text: &InboundText,
        scan: &Scan,
        outcome: u16,
        now: Timestamp,
    ) -> Decision {
        match text.trust {
            Trust::A | Trust::B => {}
            Trust::C => return self.refuse(text, Why::Untrusted),
        }
        if !self.memory.restore_locked()
            && let Some(reply) = self.restored_before(scan)
        {
            return Decision::Duplicate { reply };
        }
        let minted = match self.restore_code(scan) {
            Ok(minted) => minted,
            Err(why) => {
                self.count_failed(scan, now);
                return self.refuse(text, why);
            }
        };
        let mut named = scan.scopes(&self.scope_words());
        let scope = if named.len() == 1 {
            named.pop_first()
        } else {
            None
        };
        let allowed = scope
            .ok_or(Why::NoScope)
            .and_then(|scope| self.latched(scope))
            .and_then(|latch| self.newer_than_kill(minted.step, now).map(|()| latch));
        match allowed {
            Ok(latch) => Decision::Restore(self.sealed(latch, minted, outcome, &text.channel)),
            // The code was good, so whoever sent it is answered.
            Err(why) => Decision::Refused(Refused {
                reply: Some(reply::refused(&why, &self.memory.latches)),
                why,
            }),
        }
    }

    /// Restores by the local lever, with a RESTORE code as anywhere.
    pub fn lever_restore(
        &mut self,
        scope: &Scope,
        code: &str,
        by: &str,
        now: Timestamp,
    ) -> Result<Restore, Refused> {
        self.prepare(now);
        let scan = Scan::of(code.get(..code.floor_char_boundary(64)).unwrap_or_default());
        let allowed = self.restore_code(&scan).and_then(|minted| {
            let latch = self.latched(scope.clone())?;
            self.newer_than_kill(minted.step, now)?;
            Ok((latch, minted))
        });
        match allowed {
            Ok((latch, minted)) => {
                let outcome = self.memory.outcomes.begin([]);
                let via = format!("lever ({})", printable(by, 24));
                Ok(self.sealed(latch, minted, outcome, &via))
            }
            Err(why) => Err(Refused {
                reply: Some(reply::refused(&why, &self.memory.latches)),
                why,
            }),
        }
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
        let remaining = self.memory.latches.clone();
        let (latch, text) = match released {
            Some((latch, text)) => (latch, text),
            None => {
                let text = reply::refused(&Why::TooOld, &remaining);
                return Released {
                    latch: seal.latch,
                    remaining,
                    text,
                    overtaken: true,
                };
            }
        };
        Released {
            latch,
            remaining,
            text,
            overtaken: false,
        }
    }

    /// Someone at the machine lets RESTORE be tried again.
    pub const fn clear_restore_lock(&mut self) {
        self.memory.restore_failures = 0;
    }

    fn carry_out(
        &self,
        memory: &mut Memory,
        seal: &RestoreSeal,
        now: Timestamp,
    ) -> Option<(Latch, Reply)> {
        let RestoreSeal {
            latch,
            person,
            step,
            epoch,
            outcome,
        } = seal;
        if *epoch != self.epoch || memory.restore_used(person, *step) {
            return None;
        }
        let latch = memory.latches.release(latch.incident)?;
        memory.use_restore(person, *step, now.step());
        memory.last_restore = memory.last_restore.max(*step);
        memory.restore_failures = 0;
        let text = reply::restored(&latch, &person.initials(), &memory.latches, now);
        let code = OutcomeKey::of_code("restore", person, *step);
        memory.outcomes.join(*outcome, code);
        memory.outcomes.end(*outcome, text.clone());
        Some((latch, text))
    }

    /// The newest unused RESTORE code in it. Counts what is tried and locks in the end.
    fn restore_code(&mut self, scan: &Scan) -> Result<Minted, Why> {
        let left = RESTORE_TRIES.saturating_sub(self.memory.restore_failures);
        if left == 0 {
            return Err(Why::Locked);
        }
        // As many as may still fail, so that one text is worth no more tries than many.
        let tried = eight(scan).take(left as usize);
        let unused = tried
            .clone()
            .flat_map(|code| self.ring.restore(code))
            .filter(|minted| !self.memory.restore_used(&minted.person, minted.step));
        if let Some(newest) = unused.max_by_key(|minted| minted.step) {
            return Ok(newest.clone());
        }
        let failed = u32::try_from(tried.count()).unwrap_or(left);
        self.memory.restore_failures += failed;
        Err(if failed == 0 {
            Why::NoCode
        } else {
            Why::NotAccepted
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

    fn latched(&self, scope: Scope) -> Result<Latch, Why> {
        let latch = self.memory.latches.of(&scope).cloned();
        latch.ok_or(Why::NotCut(scope))
    }

    /// `Some` when the text holds a RESTORE code that was used, with what was answered then.
    fn restored_before(&self, scan: &Scan) -> Option<Option<Reply>> {
        let mut all = eight(scan).flat_map(|code| self.ring.restore(code));
        let used = all.find(|m| self.memory.restore_used(&m.person, m.step))?;
        let key = OutcomeKey::of_code("restore", &used.person, used.step);
        let number = self.memory.outcomes.number(&key);
        Some(number.and_then(|n| self.memory.outcomes.answer(n)).cloned())
    }

    /// A new seal makes older ones void, so that what is written down for one of them never leaves
    /// the disk more open than the memory.
    fn sealed(&mut self, latch: Latch, minted: Minted, outcome: u16, via: &str) -> Restore {
        self.epoch += 1;
        let Minted { person, step } = minted;
        Restore {
            by: person.to_string(),
            initials: person.initials(),
            via: via.to_owned(),
            latch: latch.clone(),
            seal: RestoreSeal {
                latch,
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
