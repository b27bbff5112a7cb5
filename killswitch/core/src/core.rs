//! The decisions. Texts, lever calls and `now` in; decisions out. Nothing here acts.
//!
//! **Invariant:** only [`Core::commit`] takes a latch away, and only with a [`RestoreSeal`].
//!
//! [`RestoreSeal`]: crate::RestoreSeal

use crate::decision::{Cut, Decision, Refused, Why};
use crate::inbound_text::InboundText;
use crate::keyring::Keyring;
use crate::kill::Halves;
use crate::memory::{GUESSES, Memory};
use crate::outcomes::OutcomeKey;
use crate::people::{People, initials};
use crate::reply::{self, Reply};
use crate::scan::{Code, Scan};
use kill_wire::{Latch, LatchSet, Name, Order, Scope, Step, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// An order is refused past this long after it was signed.
const ORDER_MS: u64 = 30_000;
/// Silence is permission for this long.
const LEASE_MS: u64 = 60_000;

/// The whole state of mind of the kill switch.
pub struct Core {
    pub(crate) memory: Memory,
    pub(crate) people: People,
    names: Vec<Name>,
    pub(crate) ring: Keyring,
    pub(crate) halves: Halves,
    /// Cuts since start.
    pub(crate) cuts: u64,
}

impl Core {
    /// Takes what the last run remembered.
    #[must_use]
    pub fn new(mut memory: Memory, people: People) -> Self {
        memory.keep_only(&people);
        Self {
            memory,
            people,
            names: Vec::new(),
            ring: Keyring::default(),
            halves: Halves::default(),
            cuts: 0,
        }
    }

    /// What must be written down.
    #[must_use]
    pub const fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Who may cut and restore.
    #[must_use]
    pub const fn people(&self) -> &People {
        &self.people
    }

    /// Takes other people; codes and cards of those who are gone do nothing from now on.
    pub fn set_people(&mut self, people: People) {
        self.people = people;
        self.memory.keep_only(&self.people);
        self.halves = Halves::default();
        self.ring.reset();
    }

    /// Takes the routes and consumers that are known now. In a text, any other name means ALL.
    pub fn set_names(&mut self, names: Vec<Name>) {
        self.names = names;
    }

    /// Builds the code tables of `now` ahead of time, so that the next text need not wait for them.
    pub fn prepare(&mut self, now: Timestamp) {
        self.ring.turn(&self.people, now.step());
    }

    /// Decides about a verified text. A valid unused KILL code cuts, whatever else the text says
    /// and however often its id was seen.
    pub fn on_text(&mut self, text: &InboundText, now: Timestamp) -> Decision {
        self.prepare(now);
        let scan = Scan::of(&text.text);
        if let Some(cut) = self.on_kill(text, &scan, now) {
            return Decision::Cut(cut);
        }
        let key = OutcomeKey::of_text(text);
        if let Some(number) = self.memory.outcomes.number(&key) {
            let reply = self.memory.outcomes.answer(number).cloned();
            return Decision::Duplicate { reply };
        }
        let outcome = self.memory.outcomes.begin([key]);
        if scan.says("restore") {
            self.on_restore(text, &scan, outcome, now)
        } else {
            self.on_rest(text, &scan, now)
        }
    }

    /// A text that neither cuts nor asks to restore.
    fn on_rest(&mut self, text: &InboundText, scan: &Scan, now: Timestamp) -> Decision {
        if let Some(reply) = self.used_before(scan) {
            return Decision::Duplicate { reply };
        }
        let stepped_up = self.memory.step_up(now);
        let failed = self.count_failed(scan, now);
        let asker = self.sender(text);
        if scan.says("status")
            && let Some(by) = asker
        {
            return Decision::Status { by };
        }
        let why = match (failed, stepped_up) {
            (0, _) => Why::NoCode,
            (_, false) => Why::NotAccepted,
            (_, true) => Why::StepUp,
        };
        self.refuse(text, why)
    }

    /// Counts codes that are nobody's. A good half of a pair is none of them, and nothing that is
    /// said or done here differs for it.
    pub(crate) fn count_failed(&mut self, scan: &Scan, now: Timestamp) -> usize {
        let six = self.ring.six;
        let tried = scan.codes.iter().copied();
        let tried = tried.filter(|code| six || code.digits == 8);
        let (good, bad): (Vec<Code>, Vec<Code>) =
            tried.partition(|code| !self.ring.kill(*code).is_empty());
        self.memory.failed(bad.len().min(GUESSES), now);
        good.len() + bad.len()
    }

    /// Refuses; answers only a registered sender.
    pub(crate) fn refuse(&self, text: &InboundText, why: Why) -> Decision {
        let known = self.sender(text).is_some();
        let reply = known.then(|| reply::refused(&why, &self.memory.latches));
        Decision::Refused(Refused { why, reply })
    }

    fn sender(&self, text: &InboundText) -> Option<String> {
        let person = self.people.sender(text.sender.as_deref()?)?;
        Some(person.name.to_string())
    }

    /// Every word that names a scope now, without separators.
    pub(crate) fn scope_words(&self) -> BTreeMap<String, BTreeSet<Scope>> {
        let fixed = [
            Scope::All,
            Scope::Llm,
            Scope::Cloud,
            Scope::Agents,
            Scope::Tools,
        ];
        let mut words: BTreeMap<String, BTreeSet<Scope>> = BTreeMap::new();
        let named = self.names.iter().cloned().map(Scope::Named);
        let latched = self
            .memory
            .latches
            .as_slice()
            .iter()
            .map(|l| l.scope.clone());
        for scope in named.chain(latched).chain(fixed) {
            let word = match &scope {
                Scope::Named(name) => name.squashed(),
                Scope::All | Scope::Llm | Scope::Cloud | Scope::Agents | Scope::Tools => {
                    scope.to_string().to_ascii_lowercase()
                }
            };
            words.entry(word).or_default().insert(scope);
        }
        words
    }

    /// Cuts by the local lever: whoever can open its socket may, without a code.
    pub fn lever_cut(&mut self, scope: Scope, by: &str, why: &str, now: Timestamp) -> Cut {
        let (latch, repeated) = self.latch(scope, now.step(), now);
        let by = printable(by, 24);
        Cut {
            latch,
            repeated,
            initials: initials(&by),
            by,
            via: "lever".to_owned(),
            why: printable(why, 200),
            late: false,
            restore_refused: false,
        }
    }

    /// Cuts everything, because what should be known is not.
    pub fn fail_safe(&mut self, why: &str, now: Timestamp) -> Cut {
        Cut {
            via: "fail-safe".to_owned(),
            ..self.lever_cut(Scope::All, "kill-switch", why, now)
        }
    }

    /// Closes `scope` by a KILL of this step. The second KILL of a scope keeps its incident.
    pub(crate) fn latch(&mut self, scope: Scope, code: Step, now: Timestamp) -> (Latch, bool) {
        self.cuts += 1;
        let memory = &mut self.memory;
        memory.last_kill = memory.last_kill.max(code).max(now.step());
        // The last place of a full set is kept for everything.
        let full = memory.latches.as_slice().len() >= LatchSet::MAX - 1;
        let scope = if full && memory.latches.of(&scope).is_none() {
            Scope::All
        } else {
            scope
        };
        if let Some(latch) = memory.latches.of(&scope) {
            return (latch.clone(), true);
        }
        let mut latch = Latch {
            incident: memory.next_incident,
            scope,
            since: now,
        };
        if memory.latches.push(latch.clone()).is_err() {
            // Incident numbers have run out: one latch on everything takes the place of all.
            latch.scope = Scope::All;
            memory.latches = LatchSet::default();
            let pushed = memory.latches.push(latch.clone());
            debug_assert!(pushed.is_ok(), "an empty set takes any latch");
        }
        memory.next_incident = memory.next_incident.next();
        (latch, false)
    }

    /// The next order to sign: newer than every one before, and than the clock's milliseconds, so
    /// that a kill switch that lost its number is heard all the same.
    pub fn next_order(&mut self, now: Timestamp, nonce: [u8; 16]) -> Order {
        self.memory.seq = self.memory.seq.saturating_add(1).max(now.millis());
        Order {
            seq: self.memory.seq,
            issued: now,
            expires: now.plus_millis(ORDER_MS),
            lease_until: now.plus_millis(LEASE_MS),
            nonce,
            latches: self.memory.latches.clone(),
        }
    }

    /// An agent holds a higher number: never go below it.
    pub fn overtake(&mut self, current: u64) {
        // What an agent answers is not signed: a forged number must not use the numbers up.
        const SANE: u64 = 1 << 52;
        if current <= SANE {
            self.memory.seq = self.memory.seq.max(current);
        }
    }

    /// Stores what was answered to a text, for its duplicates.
    pub fn remember(&mut self, text: &InboundText, outcome: &Reply) {
        let key = OutcomeKey::of_text(text);
        let known = self.memory.outcomes.number(&key);
        let number = known.unwrap_or_else(|| self.memory.outcomes.begin([key]));
        self.memory.outcomes.end(number, outcome.clone());
    }
}

/// What someone typed, fit for one line of a log: `max` characters, none of them control.
pub(crate) fn printable(text: &str, max: usize) -> String {
    let clean = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let short: String = clean.take(max).collect();
    if short.trim().is_empty() {
        "?".to_owned()
    } else {
        short.trim().to_owned()
    }
}

impl std::fmt::Debug for Core {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Core")
            .field("memory", &self.memory)
            .field("people", &self.people.len())
            .finish_non_exhaustive()
    }
}
