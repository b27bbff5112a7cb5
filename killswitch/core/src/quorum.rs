//! Two people for one restore, where the rules ask for it. Never for a cut.

use crate::core::Core;
use crate::decision::Held;
use crate::keyring::Minted;
use crate::notices;
use crate::outcomes::OutcomeKey;
use crate::people::PersonName;
use crate::vote::{MOST_VOTES, Vote};
use kill_wire::{Latch, Scope, Timestamp};

/// How long the first of two waits.
const WAIT_MS: u64 = 900_000;

impl Core {
    /// Whether somebody else wants this scope restored, and if so whether under duress.
    pub(crate) fn seconded(
        &self,
        person: &PersonName,
        scope: &Scope,
        now: Timestamp,
    ) -> Option<bool> {
        let other = |vote: &&Vote| {
            vote.person != *person && vote.scope == *scope && now.since(vote.at) < WAIT_MS
        };
        let votes: Vec<&Vote> = self.memory.votes.iter().filter(other).collect();
        (!votes.is_empty()).then(|| votes.iter().any(|vote| vote.duress))
    }

    /// Keeps the first person's wish and spends their code.
    pub(crate) fn hold(
        &mut self,
        latch: &Latch,
        minted: &Minted,
        duress: bool,
        outcome: u16,
        via: String,
        now: Timestamp,
    ) -> Held {
        let Minted { person, step } = minted;
        let memory = &mut self.memory;
        let (used, verb) = if duress {
            (&mut memory.used_duress, "duress")
        } else {
            (&mut memory.used_restore, "restore")
        };
        used.spend_short(person, *step, now.step());
        let waits = |vote: &Vote| vote.person != *person && now.since(vote.at) < WAIT_MS;
        memory.votes.retain(waits);
        let over = (memory.votes.len() + 1).saturating_sub(MOST_VOTES);
        memory.votes.drain(..over);
        memory.votes.push(Vote {
            person: person.clone(),
            scope: latch.scope.clone(),
            at: now,
            duress,
        });
        let until = now.plus_millis(WAIT_MS);
        let reply = notices::held(latch, until);
        let code = OutcomeKey::of_code(verb, person, *step);
        memory.outcomes.join(outcome, code);
        memory.outcomes.end(outcome, reply.clone());
        Held {
            reply,
            by: person.to_string(),
            initials: person.initials(),
            via,
            latch: latch.clone(),
            until,
        }
    }
}
