//! What the core is told of the house: who has keys, and which names there are.

use crate::core::Core;
use crate::halves::Halves;
use crate::keyring::Keyring;
use crate::memory::Memory;
use crate::people::People;
use crate::rules::Rules;
use crate::senders::Senders;
use kill_wire::Name;

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
            senders: Senders::default(),
            rules: Rules::default(),
            epoch: 0,
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
        self.ring = Keyring::default();
    }

    /// The rules of this house; the shipped ones until others are set.
    #[must_use]
    pub const fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Takes other rules. Whether they may start is for [`Rules::check`] to say, before.
    pub fn set_rules(&mut self, rules: Rules) {
        self.rules = rules;
    }

    /// Takes the routes and consumers that are known now. In a text, any other name means ALL.
    pub fn set_names(&mut self, names: Vec<Name>) {
        self.names = names;
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
