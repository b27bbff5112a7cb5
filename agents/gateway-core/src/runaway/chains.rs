//! How often a prompt was asked again after its answer, or after its failure, had come.
//!
//! Asked again *after*: several samples of one prompt at the same time are one link of the chain, not many.

/// Prompts that one consumer is remembered by: those used last.
const REMEMBERED: usize = 24;
/// Links whose times are kept.
const LINKS: usize = 16;
/// A chain that rested so long is over, in ticks.
const OVER_AFTER: u32 = 10 * 60 * TICKS;
/// Ticks a second.
pub(super) const TICKS: u32 = 100;

/// Where an exchange stands in the chains of its prompt. Given back when it ends.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Link {
    key: u64,
    answered: u32,
    failed: u32,
}

/// One chain: each link began after the one before had ended.
#[derive(Clone, Debug, Default)]
struct Chain {
    /// Links that have begun.
    begun: u32,
    /// Links that have ended.
    ended: u32,
    /// When the last ones began, in ticks.
    times: [u32; LINKS],
}

impl Chain {
    /// An exchange begins: its link, new when the last one has ended.
    fn begin(&mut self, now: u32) -> u32 {
        let rested = now.saturating_sub(self.time(self.begun));
        if self.begun > 0 && rested > OVER_AFTER {
            *self = Self::default();
        }
        let link = self.ended + 1;
        if link > self.begun {
            self.begun = link;
            if let Some(time) = self.times.get_mut(link as usize % LINKS) {
                *time = now;
            }
        }
        link
    }

    fn time(&self, link: u32) -> u32 {
        self.times.get(link as usize % LINKS).copied().unwrap_or(0)
    }

    /// How many links began within the last `span` ticks, as far as times are kept; and when the first of them did.
    fn within(&self, span: u32, now: u32) -> (u32, u32) {
        let oldest = self.begun.saturating_sub(LINKS as u32) + 1;
        let recent =
            (oldest..=self.begun).filter(|link| now.saturating_sub(self.time(*link)) <= span);
        recent.fold((0, now), |(count, since), link| {
            (count + 1, since.min(self.time(link)))
        })
    }
}

#[derive(Clone, Debug, Default)]
struct Remembered {
    key: u64,
    used: u32,
    answered: Chain,
    failed: Chain,
    /// What the chain of answers has used, in tokens.
    tokens: u64,
}

/// The chains of one consumer. 4 KB when full.
#[derive(Clone, Debug, Default)]
pub(super) struct Chains(Vec<Remembered>);

impl Chains {
    /// A prompt is asked, at `now` in ticks.
    pub(super) fn begin(&mut self, key: u64, now: u32) -> Link {
        let one = self.remembered(key);
        one.used = now;
        let link = Link {
            key,
            answered: one.answered.begin(now),
            failed: one.failed.begin(now),
        };
        if link.answered == 1 {
            one.tokens = 0;
        }
        link
    }

    /// What was asked was answered, for so many tokens.
    pub(super) fn answered(&mut self, link: Link, tokens: u64) {
        if let Some(one) = self.find(link.key) {
            one.answered.ended = one
                .answered
                .ended
                .max(link.answered.min(one.answered.begun));
            one.failed = Chain::default();
            one.tokens = one.tokens.saturating_add(tokens);
        }
    }

    /// What was asked failed.
    pub(super) fn failed(&mut self, link: Link) {
        if let Some(one) = self.find(link.key) {
            one.failed.ended = one.failed.ended.max(link.failed.min(one.failed.begun));
        }
    }

    /// How often it was asked in a row of answers within `span` ticks, since when, and what these
    /// have used by the mean of the row.
    pub(super) fn repeats(&self, key: u64, span: u32, now: u32) -> (u32, u32, u64) {
        let one = self.0.iter().find(|one| one.key == key);
        one.map_or((0, now, 0), |one| {
            let (count, since) = one.answered.within(span, now);
            let each = one.tokens / u64::from(one.answered.ended.max(1));
            (count, since, each * u64::from(count))
        })
    }

    /// How often it was asked in a row of failures within `span` ticks, and since when.
    pub(super) fn retries(&self, key: u64, span: u32, now: u32) -> (u32, u32) {
        let one = self.0.iter().find(|one| one.key == key);
        one.map_or((0, now), |one| one.failed.within(span, now))
    }

    /// Forgets all of them.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }

    fn find(&mut self, key: u64) -> Option<&mut Remembered> {
        self.0.iter_mut().find(|one| one.key == key)
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "the place was found in it, or stands at its new end"
    )]
    fn remembered(&mut self, key: u64) -> &mut Remembered {
        let fresh = Remembered {
            key,
            ..Remembered::default()
        };
        let place = self.0.iter().position(|one| one.key == key);
        let place = place.unwrap_or_else(|| {
            let oldest = self.0.iter().enumerate().min_by_key(|(_, one)| one.used);
            match oldest {
                Some((at, _)) if self.0.len() >= REMEMBERED => {
                    self.0[at] = fresh;
                    at
                }
                _ => {
                    self.0.push(fresh);
                    self.0.len() - 1
                }
            }
        });
        &mut self.0[place]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asking_again_after_the_answer_makes_a_chain() {
        let mut chains = Chains::default();
        for at in 0..5 {
            let link = chains.begin(7, at * 100);
            chains.answered(link, 10);
        }
        assert_eq!(chains.repeats(7, 1000, 400), (5, 0, 50));
        assert_eq!(chains.repeats(7, 250, 400), (3, 200, 30));
        assert_eq!(chains.repeats(8, 1000, 400), (0, 400, 0));
    }

    #[test]
    fn many_at_the_same_time_are_one_link() {
        let mut chains = Chains::default();
        let links: Vec<Link> = (0..20).map(|_| chains.begin(7, 100)).collect();
        links.into_iter().for_each(|link| chains.failed(link));
        let again: Vec<Link> = (0..20).map(|_| chains.begin(7, 200)).collect();
        again.into_iter().for_each(|link| chains.failed(link));
        assert_eq!(chains.retries(7, 1000, 200), (2, 100));
        assert_eq!(chains.repeats(7, 1000, 200).0, 1);
    }

    #[test]
    fn an_answer_ends_a_row_of_failures() {
        let mut chains = Chains::default();
        for at in 0..6 {
            let link = chains.begin(7, at);
            chains.failed(link);
        }
        assert_eq!(chains.retries(7, 1000, 6).0, 6);
        let link = chains.begin(7, 7);
        chains.answered(link, 1);
        chains.begin(7, 8);
        assert_eq!(chains.retries(7, 1000, 8).0, 1);
    }

    #[test]
    fn only_those_used_last_are_remembered() {
        let mut chains = Chains::default();
        for key in 0..1000 {
            chains.begin(key, u32::try_from(key).unwrap());
        }
        assert_eq!(chains.0.len(), REMEMBERED);
        assert_eq!(chains.repeats(999, 10, 999).0, 1);
        assert_eq!(chains.repeats(1, 10, 999).0, 0);
        assert!(
            REMEMBERED * size_of::<Remembered>() <= 4096,
            "{}",
            size_of::<Remembered>()
        );
    }

    #[test]
    fn a_chain_that_rested_is_over() {
        let mut chains = Chains::default();
        let link = chains.begin(7, 0);
        chains.answered(link, 100);
        chains.begin(7, OVER_AFTER + 1);
        assert_eq!(
            chains.repeats(7, u32::MAX, OVER_AFTER + 1),
            (1, OVER_AFTER + 1, 0)
        );
    }
}
