//! Which codes were used: a set of steps for each person, because texts overtake each other.

use crate::people::PersonName;
use kill_wire::Step;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Used steps of one kind of key.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Used(BTreeMap<PersonName, BTreeSet<Step>>);

impl Used {
    /// Most steps of one person that are kept: more than are good at once, of KILL (22) and of all others (at most 6).
    pub(crate) const MOST: usize = 24;
    pub(crate) const FEW: usize = 8;

    /// Whether this person's code of that step was used. What is older than everything in a full set may have been, and
    /// counts as if it was: a text that comes very late could otherwise be sent again for ever. A card still cuts.
    pub(crate) fn has(&self, person: &PersonName, step: Step) -> bool {
        self.0.get(person).is_some_and(|steps| {
            let forgotten = || steps.len() >= Self::MOST && steps.first() > Some(&step);
            steps.contains(&step) || forgotten()
        })
    }

    /// Spends a code. Of too many those farthest from now go: a clock that is set back, or a text that comes late,
    /// makes old codes good again, and a used one should still be known then.
    pub(crate) fn spend(&mut self, person: &PersonName, step: Step, now: Step) {
        self.keep(Self::MOST, person, step, now);
    }

    /// The same for codes that are good for few steps only.
    pub(crate) fn spend_short(&mut self, person: &PersonName, step: Step, now: Step) {
        self.keep(Self::FEW, person, step, now);
    }

    fn keep(&mut self, most: usize, person: &PersonName, step: Step, now: Step) {
        let steps = self.0.entry(person.clone()).or_default();
        steps.insert(step);
        while steps.len() > most {
            let farthest = steps
                .iter()
                .max_by_key(|step| step.get().abs_diff(now.get()));
            let Some(farthest) = farthest.copied() else {
                return;
            };
            steps.remove(&farthest);
        }
    }

    /// Every used code, by person and step.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&PersonName, Step)> {
        let all = self.0.iter();
        all.flat_map(|(person, steps)| steps.iter().map(move |step| (person, *step)))
    }

    /// Forgets people who are gone.
    pub(crate) fn keep_only(&mut self, there: impl Fn(&PersonName) -> bool) {
        self.0.retain(|name, _| there(name));
    }

    /// Whether a file's content keeps the bounds.
    pub(crate) fn bounded(&self) -> bool {
        self.0.len() <= crate::People::MAX && self.0.values().all(|steps| steps.len() <= Self::MOST)
    }
}
