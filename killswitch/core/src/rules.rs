//! What the house has decided: who must agree to a restore, what a text may restore, when somebody must say they are there.

use crate::guesses::{self, TooGuessable};
use crate::people::People;
use kill_wire::{GuessBound, Scope};
use std::collections::BTreeSet;

/// The rules of one house. `Default` is what is shipped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// A restore needs codes of two people within 15 minutes.
    pub two_person: bool,
    /// What a text may restore. The channel named `local`, this machine's own, may restore anything.
    pub text_restorable: Restorable,
    /// A duress code pretends to restore.
    pub duress: bool,
    /// Somebody must check in.
    pub check_in: Option<CheckInRule>,
    /// Wrong KILL codes in 24 hours before a single code no longer suffices; 1 to [`Rules::MAX_GUESSES`].
    pub guesses_per_day: u32,
    /// Wrong RESTORE codes in 24 hours before RESTORE waits; 1 to [`Rules::MAX_GUESSES`].
    pub restore_guesses_per_day: u32,
}

impl Rules {
    /// Most guesses of either kind that may be allowed a day.
    pub const MAX_GUESSES: u32 = 20;

    /// Whether these people and rules may start: what guessing is worth, or what to change.
    pub fn check(&self, people: &People) -> Result<GuessBound, RulesError> {
        let sane = 1..=Self::MAX_GUESSES;
        if !sane.contains(&self.guesses_per_day) || !sane.contains(&self.restore_guesses_per_day) {
            return Err(RulesError::Guesses);
        }
        if self.two_person && people.len() < 2 {
            return Err(RulesError::TwoOfOne(people.len()));
        }
        if let Some(CheckInRule {
            every_ms, warn_ms, ..
        }) = self.check_in
            && (every_ms < CheckInRule::SHORTEST_MS || warn_ms < CheckInRule::SHORTEST_MS)
        {
            return Err(RulesError::CheckIn);
        }
        Ok(guesses::check(people, self)?)
    }

    /// Whether a text by this channel may restore this scope.
    pub(crate) fn by_text(&self, channel: &str, scope: Option<&Scope>) -> bool {
        channel == "local"
            || match &self.text_restorable {
                Restorable::All => true,
                // Without a scope there is something to say about it only where some may be restored.
                Restorable::Listed(scopes) => {
                    scope.map_or(!scopes.is_empty(), |scope| scopes.contains(scope))
                }
            }
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            two_person: false,
            text_restorable: Restorable::Listed(BTreeSet::new()),
            duress: false,
            check_in: None,
            guesses_per_day: 10,
            restore_guesses_per_day: 5,
        }
    }
}

/// Which scopes a text may restore. A middleman at a provider could change the scope in a text, so it is opt-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Restorable {
    /// Every scope.
    All,
    /// These.
    Listed(BTreeSet<Scope>),
}

/// How often somebody must check in, and what follows when nobody does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckInRule {
    /// A check-in is due this long after the one before, in milliseconds.
    pub every_ms: u64,
    /// The second warning comes this long after it was due, what follows as long after that, in milliseconds.
    pub warn_ms: u64,
    /// What follows.
    pub then: Then,
}

impl CheckInRule {
    /// Neither time is shorter than a minute.
    pub const SHORTEST_MS: u64 = 60_000;
}

/// What follows on two warnings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Then {
    /// No more than the warnings.
    #[default]
    Warn,
    /// This is cut.
    Cut(Scope),
}

/// Why the kill switch does not start with these rules. Each names what to change.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RulesError {
    /// Too easily guessed.
    #[error(transparent)]
    TooGuessable(#[from] TooGuessable),
    /// Two people must agree and there are not two.
    #[error(
        "two_person needs at least two people with RESTORE keys, there are {0}: enrol another or set two_person = false"
    )]
    TwoOfOne(usize),
    /// A daily budget out of bounds.
    #[error(
        "guesses_per_day and restore_guesses_per_day are 1 to {}",
        Rules::MAX_GUESSES
    )]
    Guesses,
    /// A check-in nobody could keep up with.
    #[error("check_in.every and check_in.warn are at least one minute")]
    CheckIn,
}
