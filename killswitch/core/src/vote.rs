//! The first of two people who restore, as it is remembered.

use crate::people::PersonName;
use kill_wire::{Scope, Timestamp};
use serde::{Deserialize, Serialize};

/// The first of two people, who wants this scope restored. A cut takes all of them back.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Vote {
    pub(crate) person: PersonName,
    pub(crate) scope: Scope,
    pub(crate) at: Timestamp,
    pub(crate) duress: bool,
}

impl Vote {
    pub(crate) const fn person(&self) -> &PersonName {
        &self.person
    }

    pub(crate) const fn scope(&self) -> &Scope {
        &self.scope
    }
}

/// Most votes that wait; of more the oldest is taken back.
pub(crate) const MOST_VOTES: usize = 8;
