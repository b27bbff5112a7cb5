//! A restore under duress: it is answered like any other and opens nothing.
//!
//! Whoever forces a person to restore reads the same words as after a real one, and a STATUS by that person leaves out
//! what they seemed to open, until it is really restored. Nothing else pretends: the gateway goes on refusing, the
//! dashboard and everybody else see the truth, and another cut answers ALREADY CUT. So it gains minutes, not more; that
//! is why it is off unless the rules turn it on.

use crate::core::Core;
use crate::decision::{Decision, Feigned};
use crate::keyring::Minted;
use crate::memory::MOST_FEIGNED;
use crate::notices;
use crate::outcomes::OutcomeKey;
use crate::people::PersonName;
use crate::reply;
use kill_wire::{Incident, Latch, LatchSet, Timestamp};

/// Who seemed to end which incident.
pub(crate) type Pretences = Vec<(PersonName, Incident)>;

impl Core {
    /// Answers as a restore would, and spends the code. With two people it is enough that one of them is forced.
    pub(crate) fn feign(
        &mut self,
        latch: &Latch,
        minted: &Minted,
        duress: bool,
        outcome: u16,
        via: String,
        now: Timestamp,
    ) -> Feigned {
        let person = &minted.person;
        let memory = &mut self.memory;
        // Of two people the second may have sent a real code; it is spent as if it had opened.
        let (used, verb) = if duress {
            (&mut memory.used_duress, "duress")
        } else {
            (&mut memory.used_restore, "restore")
        };
        used.spend_short(person, minted.step, now.step());
        memory.votes.retain(|vote| *vote.scope() != latch.scope);
        memory.feigned.push((person.clone(), latch.incident));
        // The oldest of too many is told the truth again.
        let over = memory.feigned.len().saturating_sub(MOST_FEIGNED);
        memory.feigned.drain(..over);
        let initials = person.initials();
        let left = self.shown_to(person.as_str());
        let reply = reply::restored(latch, &initials, &left, now);
        let code = OutcomeKey::of_code(verb, person, minted.step);
        self.memory.outcomes.join(outcome, code);
        self.memory.outcomes.end(outcome, reply.clone());
        let others = self.people.iter().filter(|other| other.name != *person);
        Feigned {
            reply,
            by: person.to_string(),
            via,
            scope: latch.scope.clone(),
            alert: others.map(|other| other.name.clone()).collect(),
            warning: notices::duress(&initials, &latch.scope, now),
        }
    }

    /// The latches this person is told of.
    pub(crate) fn shown_to(&self, person: &str) -> LatchSet {
        let mut shown = self.memory.latches();
        for (_, incident) in self
            .memory
            .feigned
            .iter()
            .filter(|(who, _)| who.as_str() == person)
        {
            // A copy: what it leaves out stays cut.
            shown.release(*incident);
        }
        shown
    }

    /// How things are, as this person is told.
    pub(crate) fn status(&self, by: String) -> Decision {
        let latches = self.shown_to(&by);
        Decision::Status { by, latches }
    }
}
