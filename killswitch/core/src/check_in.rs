//! The dead man's switch: somebody says that they are there, by a check-in code or at the machine. When nobody does:
//! two warnings, then what the rules say.
//!
//! **Invariant:** a KILL code never checks in, and a check-in code never cuts: each is looked up among its own.

use crate::core::Core;
use crate::decision::{CheckedIn, Cut, Decision};
use crate::drill::DrillPlan;
use crate::inbound_text::InboundText;
use crate::keyring::Minted;
use crate::memory::CHECK_IN_TRIES;
use crate::notices;
use crate::outcomes::OutcomeKey;
use crate::people::initials;
use crate::printable::printable;
use crate::rules::{CheckInRule, Then};
use crate::scan::Scan;
use kill_wire::{CheckInState, Scope, Timestamp};
use serde::{Deserialize, Serialize};

/// When somebody last checked in, and what was done since.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LastCheckIn {
    /// By whom; none while only the rule began.
    by: Option<String>,
    at: Option<Timestamp>,
    /// Steps taken since: 1 and 2 are warnings, 3 is what follows.
    taken: u8,
}

/// What is due because nobody checked in. Each comes once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckInStep {
    /// It is due now; the second warning comes at `next`.
    WarnFirst {
        /// When the next step comes.
        next: Timestamp,
    },
    /// What follows comes at `next`.
    WarnSecond {
        /// When the next step comes.
        next: Timestamp,
    },
    /// Nobody came.
    Act(Then),
}

impl Core {
    /// What is due now, if anything. Past times come one after the other, so that nothing is acted on unwarned.
    pub fn check_in_due(&mut self, now: Timestamp) -> Option<CheckInStep> {
        let CheckInRule {
            every_ms,
            warn_ms,
            then,
        } = self.rules.check_in.clone()?;
        let last = &mut self.memory.check_in;
        // Where nobody ever did, time runs from when the rule was first seen; a clock set back starts it over.
        let since = *last.at.get_or_insert(now);
        if since > now {
            last.at = Some(now);
            return None;
        }
        let wait = u64::from(last.taken).saturating_mul(warn_ms);
        if now.since(since) < every_ms.saturating_add(wait) {
            return None;
        }
        let next = now.plus_millis(warn_ms);
        let step = match last.taken {
            0 => CheckInStep::WarnFirst { next },
            1 => CheckInStep::WarnSecond { next },
            2 => CheckInStep::Act(then),
            _ => return None,
        };
        last.taken += 1;
        Some(step)
    }

    /// The cut that follows when nobody checked in.
    pub fn check_in_cut(&mut self, scope: Scope, now: Timestamp) -> Cut {
        Cut {
            via: "check-in".to_owned(),
            ..self.lever_cut(scope, "check-in", "nobody checked in", now)
        }
    }

    /// Somebody at the machine, or signed in, says that they are there.
    pub fn lever_check_in(&mut self, by: &str, now: Timestamp) -> CheckedIn {
        let by = printable(by, 24);
        self.checked_in(by, "lever", now)
    }

    /// How the check-in stands; none when no rule asks for one.
    #[must_use]
    pub fn check_in_state(&self, now: Timestamp) -> Option<CheckInState> {
        let rule = self.rules.check_in.as_ref()?;
        let last = &self.memory.check_in;
        Some(CheckInState {
            last: last.by.as_ref().and(last.at),
            by: last.by.clone(),
            due: last.at.unwrap_or(now).plus_millis(rule.every_ms),
            warned: u32::from(last.taken.min(2)),
            cuts: match &rule.then {
                Then::Warn => None,
                Then::Cut(scope) => Some(scope.clone()),
            },
        })
    }

    /// A text with a check-in code: `OK`, `DRILL`, `STATUS`, or the code alone.
    pub(crate) fn on_check_in(
        &mut self,
        text: &InboundText,
        scan: &Scan,
        outcome: u16,
        now: Timestamp,
    ) -> Option<Decision> {
        if !self.may_check_in(text, scan) {
            return None;
        }
        let left = self.memory.check_in_failed.left(CHECK_IN_TRIES, now);
        let tried = || scan.codes.iter().take(left);
        let all: Vec<Minted> = tried()
            .flat_map(|code| self.ring.check_in.find(*code))
            .collect();
        let key = |m: &Minted| OutcomeKey::of_code("check-in", &m.person, m.step);
        let used = |m: &&Minted| self.memory.used_check_in.has(&m.person, m.step);
        let Some(new) = all.iter().find(|m| !used(m)) else {
            if let Some(old) = all.first() {
                let reply = self.memory.outcomes.answer_to(&key(old)).cloned();
                return Some(Decision::Duplicate { reply });
            }
            let failed = tried().count();
            self.memory.check_in_failed.add(failed, CHECK_IN_TRIES, now);
            return None;
        };
        self.memory
            .used_check_in
            .spend_short(&new.person, new.step, now.step());
        self.memory.outcomes.join(outcome, key(new));
        let by = new.person.to_string();
        if scan.says("status") {
            return Some(self.status(by));
        }
        if scan.says("drill") {
            return Some(Decision::Drill(DrillPlan::new(&by, &text.channel, now)));
        }
        let done = self.checked_in(by, &text.channel, now);
        self.memory.outcomes.end(outcome, done.reply.clone());
        Some(Decision::CheckedIn(done))
    }

    /// Whether check-in codes are looked for: the text says so, or it holds nothing but digits.
    pub(crate) fn may_check_in(&self, text: &InboundText, scan: &Scan) -> bool {
        let asked = ["ok", "drill", "status"].iter().any(|word| scan.says(word))
            || !text.text.chars().any(char::is_alphabetic);
        asked && self.people.iter().any(|person| person.check_in.is_some())
    }

    fn checked_in(&mut self, by: String, via: &str, now: Timestamp) -> CheckedIn {
        self.memory.check_in = LastCheckIn {
            by: Some(by.clone()),
            at: Some(now),
            taken: 0,
        };
        let initials = initials(&by);
        let next = self.rules.check_in.as_ref();
        let next = next.map(|rule| now.plus_millis(rule.every_ms));
        CheckedIn {
            reply: notices::checked_in(&initials, now, next),
            by,
            initials,
            via: via.to_owned(),
            next,
        }
    }
}
