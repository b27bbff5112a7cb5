//! What the core is told of the house: who has keys, and which names there are.

use crate::core::Core;
use crate::memory::Memory;
use crate::people::People;
use crate::stepped_up::Halves;
use kill_wire::Name;

impl Core {
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
}
