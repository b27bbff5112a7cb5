//! Decides when an isolation canary tries what, and what its tries come to.
//!
//! **Invariant:** only what the host's own file lists is ever tried; nothing that comes over the network adds to it. One try
//! alone is no finding: what changed is tried again soon, and counts when two agree.

mod chance;
pub mod datagram;

use chance::Chance;
use kill_wire::Reached;
use net_model::{CanaryFact, CanaryVerdict, ProbeTarget};

/// What is tried, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CanaryPlan {
    /// What the host must reach.
    pub must: Vec<ProbeTarget>,
    /// What the host must never reach.
    pub must_not: Vec<ProbeTarget>,
    /// How often each is tried, in milliseconds, give or take a fifth.
    pub every_ms: u64,
}

impl CanaryPlan {
    /// Most targets of one host.
    pub const MOST: usize = 64;
    /// How often each target is tried where nobody says otherwise, in milliseconds.
    pub const EVERY_MS: u64 = 60_000;
    /// The least and the most time between two tries of one target, in milliseconds.
    pub const BOUNDS_MS: (u64, u64) = (10_000, 3_600_000);
}

/// Why a plan cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPlan {
    /// More than [`CanaryPlan::MOST`].
    #[error("{0} targets are too many; a host tries at most {most}", most = CanaryPlan::MOST)]
    TooMany(usize),
    /// In both lists, or twice in one.
    #[error("`{0}` is there twice")]
    Twice(ProbeTarget),
    /// Too often or too seldom.
    #[error("every {0} ms is not between 10 s and 1 h")]
    Every(u64),
}

/// How soon what looks different from before is tried again, in milliseconds, give or take a fifth.
const SOON_MS: u64 = 2_000;
/// Over how long the first tries are spread, at most, in milliseconds.
const FIRST_MS: u64 = 10_000;

/// The canary of one host.
#[derive(Clone, Debug)]
pub struct Canary {
    points: Vec<Point>,
    every_ms: u64,
    chance: Chance,
}

#[derive(Clone, Debug)]
struct Point {
    target: ProbeTarget,
    must: bool,
    /// When it is tried next; `None` while a try is under way.
    next: Option<u64>,
    seen: Option<Seen>,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    found: Reached,
    agreed: u32,
    at: u64,
}

/// A try to make. Whoever takes it tells [`Canary::found`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Try {
    at: usize,
    /// Where to.
    pub target: ProbeTarget,
}

impl Canary {
    /// Times are milliseconds of any clock that never steps back; `seed` is what its irregularity is made of.
    ///
    /// # Errors
    /// See [`BadPlan`].
    pub fn new(plan: CanaryPlan, seed: u64, now: u64) -> Result<Self, BadPlan> {
        let (least, most) = CanaryPlan::BOUNDS_MS;
        if !(least..=most).contains(&plan.every_ms) {
            return Err(BadPlan::Every(plan.every_ms));
        }
        let must = plan.must.into_iter().map(|target| (target, true));
        let must_not = plan.must_not.into_iter().map(|target| (target, false));
        let all: Vec<(ProbeTarget, bool)> = must_not.chain(must).collect();
        if all.len() > CanaryPlan::MOST {
            return Err(BadPlan::TooMany(all.len()));
        }
        let mut chance = Chance::of(seed);
        let mut points: Vec<Point> = Vec::with_capacity(all.len());
        for (target, must) in all {
            if points.iter().any(|point| point.target == target) {
                return Err(BadPlan::Twice(target));
            }
            let next = now.saturating_add(chance.below(FIRST_MS.min(plan.every_ms)));
            points.push(Point {
                target,
                must,
                next: Some(next),
                seen: None,
            });
        }
        Ok(Self {
            points,
            every_ms: plan.every_ms,
            chance,
        })
    }

    /// What is to be tried now, at most so many, the longest due first.
    pub fn due(&mut self, now: u64, at_most: usize) -> Vec<Try> {
        let mut due: Vec<(u64, usize)> = Vec::new();
        for (at, point) in self.points.iter().enumerate() {
            due.extend(
                point
                    .next
                    .filter(|next| *next <= now)
                    .map(|next| (next, at)),
            );
        }
        due.sort_unstable();
        let mut tries = Vec::new();
        for (_, at) in due.into_iter().take(at_most) {
            if let Some(point) = self.points.get_mut(at) {
                point.next = None;
                let target = point.target.clone();
                tries.push(Try { at, target });
            }
        }
        tries
    }

    /// When something is due next; `None` when there is nothing to try.
    #[must_use]
    pub fn next(&self) -> Option<u64> {
        self.points.iter().filter_map(|point| point.next).min()
    }

    /// What a try came to.
    pub fn found(&mut self, tried: &Try, found: Reached, now: u64) {
        let Some(point) = self.points.get_mut(tried.at) else {
            return;
        };
        let verdict = |found| CanaryVerdict::of(&point.target, point.must, found);
        let same = point
            .seen
            .filter(|seen| verdict(seen.found) == verdict(found));
        let agreed = same.map_or(1, |seen| seen.agreed.saturating_add(1));
        let first = point.seen.is_none() && verdict(found) == CanaryVerdict::Holds;
        let again = if agreed >= CanaryFact::AGREEING || first {
            self.every_ms
        } else {
            SOON_MS
        };
        point.next = Some(now.saturating_add(self.chance.about(again)));
        let at = now;
        point.seen = Some(Seen { found, agreed, at });
    }

    /// What is known now, worst first; what was never tried is not in it.
    #[must_use]
    pub fn facts(&self, now: u64) -> Vec<CanaryFact> {
        let fact = |point: &Point| {
            point.seen.map(|seen| CanaryFact {
                target: point.target.clone(),
                must: point.must,
                found: seen.found,
                agreed: seen.agreed,
                age_ms: now.saturating_sub(seen.at),
            })
        };
        let mut facts: Vec<CanaryFact> = self.points.iter().filter_map(fact).collect();
        facts.sort_by_key(|fact| std::cmp::Reverse(fact.verdict()));
        facts
    }
}

#[cfg(test)]
mod tests;
