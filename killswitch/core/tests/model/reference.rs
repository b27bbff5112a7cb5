//! The rules once more, as plainly as they can be said; shares nothing with the crate but its words.

use crate::house::Verb;
use std::collections::{BTreeMap, BTreeSet};

/// One text on its way. Times are numbers of steps.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) id: usize,
    pub(crate) person: usize,
    pub(crate) verb: Verb,
    pub(crate) scope: &'static str,
    pub(crate) minted: u64,
}

/// What a delivery comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Cuts,
    MayRestore,
    Held,
    ChecksIn,
    Nothing,
}

#[derive(Clone, Debug)]
pub(crate) struct Leave {
    sent: Sent,
    decisions: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Reference {
    two_person: bool,
    pub(crate) cut: BTreeSet<&'static str>,
    last_kill: u64,
    used: BTreeSet<(usize, u8, u64)>,
    seen: BTreeSet<usize>,
    wrong_restores: u32,
    /// Who wants what, since when.
    wishes: BTreeMap<usize, (&'static str, u64)>,
    /// Grows with everything that makes an older leave to restore void.
    decisions: u64,
}

impl Reference {
    pub(crate) fn new(two_person: bool) -> Self {
        Self {
            two_person,
            ..Self::default()
        }
    }

    pub(crate) fn deliver(&mut self, sent: &Sent, now: u64) -> (Outcome, Option<Leave>) {
        let key = (sent.person, sent.verb as u8, sent.minted);
        let past = [20, 2, 4][sent.verb as usize];
        let good = sent.minted + past >= now && sent.minted <= now + 1;
        let used = self.used.contains(&key);
        if sent.verb == Verb::Kill && good && !used {
            self.used.insert(key);
            self.seen.insert(sent.id);
            self.cut.insert(sent.scope);
            self.last_kill = self.last_kill.max(sent.minted).max(now);
            self.wishes.clear();
            self.decisions += 1;
            return (Outcome::Cuts, None);
        }
        if !self.seen.insert(sent.id) {
            return (Outcome::Nothing, None);
        }
        match sent.verb {
            Verb::Kill => (Outcome::Nothing, None),
            Verb::CheckIn if good && !used => {
                self.used.insert(key);
                (Outcome::ChecksIn, None)
            }
            Verb::CheckIn => (Outcome::Nothing, None),
            Verb::Restore => self.restore(sent, key, good, used, now),
        }
    }

    fn restore(
        &mut self,
        sent: &Sent,
        key: (usize, u8, u64),
        good: bool,
        used: bool,
        now: u64,
    ) -> (Outcome, Option<Leave>) {
        let nothing = (Outcome::Nothing, None);
        if self.wrong_restores >= 5 || (good && used) {
            return nothing;
        }
        if !good {
            self.wrong_restores += 1;
            return nothing;
        }
        if !self.cut.contains(sent.scope) || sent.minted <= self.last_kill.min(now + 1) {
            return nothing;
        }
        let mut others = self.wishes.iter().filter(|(who, _)| **who != sent.person);
        let seconded = others.any(|(_, (scope, since))| *scope == sent.scope && now < since + 30);
        if self.two_person && !seconded {
            self.used.insert(key);
            self.wishes.insert(sent.person, (sent.scope, now));
            return (Outcome::Held, None);
        }
        self.decisions += 1;
        let leave = Leave {
            sent: sent.clone(),
            decisions: self.decisions,
        };
        (Outcome::MayRestore, Some(leave))
    }

    /// Uses a leave to restore; true when the scope opens.
    pub(crate) fn commit(&mut self, leave: &Leave) -> bool {
        let Leave { sent, decisions } = leave;
        let key = (sent.person, sent.verb as u8, sent.minted);
        if *decisions != self.decisions || self.used.contains(&key) {
            return false;
        }
        self.used.insert(key);
        self.cut.remove(sent.scope);
        self.wishes.retain(|_, (scope, _)| *scope != sent.scope);
        true
    }
}
