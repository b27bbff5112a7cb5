//! How each target fares: its breaker, its room, its health. Kept over a reload for a target that stays what it was.
//!
//! While a breaker is closed an exchange takes its seat with two atomic operations and no lock.

pub(crate) mod health;

use crate::clock;
use gateway_core::choice::{Breaker, Change, Failure, Pass, Passed, Resting};
use kill_wire::{Class, Name, Timestamp};
use net_model::{BaseUrl, BreakerRule, BreakerState, HealthView, Target, TargetKind, TargetView};
use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;

/// What is known of one target.
#[derive(Debug)]
pub(crate) struct Watched {
    name: Name,
    class: Class,
    kind: TargetKind,
    base_url: BaseUrl,
    begun: Instant,
    /// Exchanges that sit with it.
    open: AtomicU32,
    /// Whether its breaker is closed. The breaker itself has the last word on everything else.
    closed: AtomicBool,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    breaker: Breaker,
    since: Timestamp,
    health: Option<HealthView>,
}

/// No exchange goes to the target now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoSeat {
    pub(crate) why: Passed,
    /// Asking again makes sense after this.
    pub(crate) after: Duration,
}

/// After this a target that had no room, or is being tried, may have some.
const SOON: Duration = Duration::from_secs(1);

impl Watched {
    fn new(target: &Target) -> Arc<Self> {
        Arc::new(Self {
            name: target.name.clone(),
            class: target.class,
            kind: target.kind,
            base_url: target.base_url.clone(),
            begun: Instant::now(),
            open: AtomicU32::new(0),
            closed: AtomicBool::new(true),
            inner: Mutex::new(Inner {
                breaker: Breaker::default(),
                since: clock::now(),
                health: None,
            }),
        })
    }

    /// What is known of `target` among `known`; nothing yet, when it is not the same server under the same name.
    pub(crate) fn among(known: &[Arc<Self>], target: &Target) -> Arc<Self> {
        let same = known.iter().find(|watched| watched.is(target));
        same.map_or_else(|| Self::new(target), Arc::clone)
    }

    fn is(&self, target: &Target) -> bool {
        self.name == target.name
            && self.class == target.class
            && self.kind == target.kind
            && self.base_url.to_string() == target.base_url.to_string()
    }

    /// A seat for one exchange; `target` must be the one this is about.
    pub(crate) fn seat(self: &Arc<Self>, target: &Target) -> Result<Seat, NoSeat> {
        let mut seat = Seat {
            of: Arc::clone(self),
            pass: Pass::Usual,
            rule: target.breaker,
            word: Word::None,
        };
        // Dropping the seat gives it back.
        let taken = self.open.fetch_add(1, Ordering::Relaxed);
        if target.max_open.is_some_and(|most| taken >= most) {
            return Err(NoSeat {
                why: Passed::Full,
                after: SOON,
            });
        }
        if !self.closed.load(Ordering::Acquire) {
            seat.pass = self.try_it()?;
        }
        Ok(seat)
    }

    /// What a probe of its health found.
    pub(crate) fn probed(&self, target: &Target, well: bool, at: Timestamp) {
        let now = self.now();
        let mut inner = self.lock();
        inner.health = Some(HealthView { at, well });
        let change = if well {
            inner.breaker.well(&target.breaker, now);
            None
        } else {
            inner.breaker.unwell(&target.breaker, now)
        };
        self.tell(&mut inner, change);
    }

    /// How it fares, for those who look on.
    pub(crate) fn view(&self, target: &Target) -> TargetView {
        let inner = self.lock();
        TargetView {
            name: self.name.clone(),
            class: self.class,
            state: inner.breaker.state(),
            since: inner.since,
            why: inner.breaker.why().map(|why| why.as_str().to_owned()),
            failures: inner.breaker.failures(&target.breaker, self.now()),
            open: self.open.load(Ordering::Relaxed),
            health: inner.health.clone(),
        }
    }

    fn try_it(&self) -> Result<Pass, NoSeat> {
        let now = self.now();
        let mut inner = self.lock();
        let asked = inner.breaker.ask(now);
        if asked == Ok(Pass::Trial) {
            inner.since = clock::now();
            tracing::debug!(target_name = %self.name, "One request tries whether the target is well again.");
        }
        asked.map_err(|resting| NoSeat {
            why: Passed::BreakerOpen,
            after: match resting {
                Resting::Until(until) => until.saturating_sub(now),
                Resting::Trying => SOON,
            },
        })
    }

    fn tell(&self, inner: &mut Inner, change: Option<Change>) {
        let closed = inner.breaker.state() == BreakerState::Closed;
        self.closed.store(closed, Ordering::Release);
        let Some(change) = change else { return };
        inner.since = clock::now();
        match change {
            Change::Opened(why) => {
                tracing::warn!(target_name = %self.name, why = why.as_str(), "The breaker of a target is open: others take its place where they may.");
            }
            Change::StaysOpen(why) => {
                tracing::debug!(target_name = %self.name, why = why.as_str(), "The target is not well yet.");
            }
            Change::Closed => {
                tracing::warn!(target_name = %self.name, "The breaker of a target is closed: it serves again.");
            }
        }
    }

    fn now(&self) -> Duration {
        self.begun.elapsed()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an exchange has said of its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    None,
    Served,
    Failed,
}

/// The right of one exchange to be with a target; dropped when it is no longer. An exchange that ends without a word,
/// because its client left or it was cut, says nothing of the target.
#[derive(Debug)]
pub(crate) struct Seat {
    of: Arc<Watched>,
    pass: Pass,
    rule: BreakerRule,
    word: Word,
}

impl Seat {
    /// The first byte of an answer came.
    pub(crate) fn served(&mut self) {
        if self.word != Word::None {
            return;
        }
        self.word = Word::Served;
        if self.pass == Pass::Trial {
            let mut inner = self.of.lock();
            let change = inner.breaker.served(self.pass);
            self.of.tell(&mut inner, change);
        }
    }

    /// It failed through the target's fault; of one exchange this counts once.
    pub(crate) fn failed(&mut self, failure: Failure) {
        let pass = match self.word {
            Word::Failed => return,
            // The breaker has had its answer to the try.
            Word::Served => Pass::Usual,
            Word::None => self.pass,
        };
        self.word = Word::Failed;
        let now = self.of.now();
        let mut inner = self.of.lock();
        let change = inner.breaker.failed(pass, failure, &self.rule, now);
        self.of.tell(&mut inner, change);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.of.open.fetch_sub(1, Ordering::Relaxed);
        if self.pass == Pass::Trial && self.word == Word::None {
            let now = self.of.now();
            let mut inner = self.of.lock();
            inner.breaker.abandoned(self.pass, &self.rule, now);
        }
    }
}
