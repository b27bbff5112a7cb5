//! Finds out whether what was asked ends in the same step again and again.

/// Most elements of one prompt that are looked at: its last.
pub(super) const MAX_ELEMENTS: usize = 256;
/// Longest step, in elements. An agent's step has two to four: what it calls, and what each call gave.
const MAX_STEP: usize = 12;

/// The elements of one prompt in their order, as hashes.
#[derive(Debug)]
pub(super) struct Elements {
    /// What stands before the elements that are kept.
    before: u64,
    kept: Vec<u64>,
}

/// What a prompt is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Known {
    /// The same for the same prompt, and for one that has only grown by another round of the same step.
    pub(super) key: u64,
    /// Whether it ends in at least two rounds of one step.
    pub(super) goes_round: bool,
}

impl Elements {
    /// None yet; `before` tells apart what else differs.
    pub(super) fn new(before: u64) -> Self {
        Self {
            before,
            kept: Vec::with_capacity(32),
        }
    }

    /// The next element.
    pub(super) fn push(&mut self, element: u64) {
        if self.kept.len() == 2 * MAX_ELEMENTS {
            let gone = self.kept.drain(..MAX_ELEMENTS);
            self.before = gone.fold(self.before, joined);
        }
        self.kept.push(element);
    }

    /// How many are kept.
    pub(super) fn len(&self) -> usize {
        self.kept.len()
    }

    /// What the whole is known by. The part before the rounds stays in the key: prompts that merely end alike differ.
    pub(super) fn known(&self) -> Known {
        let step = (1..=MAX_STEP).find_map(|step| {
            let round = self.round(step);
            (round >= 2 * step).then_some((step, round))
        });
        let (head, tail) = match step {
            Some((step, round)) => {
                let len = self.kept.len();
                let last = self.kept.get(len - step..).unwrap_or_default();
                // A sum, so that it does not matter at which element of the step the prompt was sent.
                let sum = last
                    .iter()
                    .fold(step as u64, |sum, one| sum.wrapping_add(*one));
                (len - round, Some(sum))
            }
            None => (self.kept.len(), None),
        };
        let head = self.kept.get(..head).unwrap_or_default();
        let head = head.iter().copied().fold(self.before, joined);
        Known {
            key: tail.map_or(head, |tail| joined(head, tail)),
            goes_round: tail.is_some(),
        }
    }

    /// How many of the last elements repeat those `step` before them, these included.
    fn round(&self, step: usize) -> usize {
        let later = self.kept.iter().rev();
        let earlier = self.kept.iter().rev().skip(step);
        later.zip(earlier).take_while(|(a, b)| a == b).count() + step
    }
}

/// Both in this order. The elements are keyed hashes already; this only has to depend on all of them.
pub(super) fn joined(before: u64, next: u64) -> u64 {
    let mixed = (before.rotate_left(29) ^ next).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ (mixed >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(elements: &[u64]) -> Known {
        let mut all = Elements::new(1);
        elements.iter().for_each(|one| all.push(*one));
        all.known()
    }

    #[test]
    fn one_more_round_of_a_step_changes_nothing() {
        let two = known(&[9, 8, 1, 2, 1, 2]);
        assert!(two.goes_round);
        assert_eq!(two, known(&[9, 8, 1, 2, 1, 2, 1, 2]));
        assert_eq!(two, known(&[9, 8, 1, 2, 1, 2, 1, 2, 1]));
        let long = [5, 6, 7, 5, 6, 7];
        assert_eq!(known(&long), known(&[long.as_slice(), &[5, 6, 7]].concat()));
    }

    #[test]
    fn a_conversation_that_goes_on_is_another_prompt_each_time() {
        let talk = [9, 8, 1, 2, 3, 2, 4, 2];
        let mut keys: Vec<u64> = (1..=talk.len())
            .map(|len| known(&talk[..len]).key)
            .collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), talk.len());
        assert!(!known(&talk).goes_round);
    }

    #[test]
    fn prompts_that_merely_end_alike_differ() {
        assert_ne!(known(&[1, 7, 7]).key, known(&[2, 7, 7]).key);
        assert_ne!(known(&[1, 2]).key, known(&[2, 1]).key);
    }

    #[test]
    fn of_a_very_long_prompt_everything_counts_still() {
        let long: Vec<u64> = (0..5000).collect();
        let mut other = long.clone();
        other[3] = 77;
        assert_ne!(known(&long).key, known(&other).key);
    }
}
