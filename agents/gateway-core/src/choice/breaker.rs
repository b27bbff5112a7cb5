//! "Fails repeatedly over a set period": one target's breaker.
//!
//! Closed, it counts failures within a sliding span. Open, the target is left alone for a pause. Half-open, exactly one
//! exchange tries; its first byte closes the breaker, its failure opens it for another pause, and one that nobody
//! waited for to its end says nothing. Between the beginnings of two tries there is never less than a pause.
//!
//! `now` is the time since any fixed moment; it must not run backwards.

use net_model::{BreakerRule, BreakerState};
use std::{collections::VecDeque, time::Duration};

/// However long a target asks to be left alone, it is not longer than this.
pub const LONGEST_REST: Duration = Duration::from_hours(1);

/// In what way a target failed. A refusal that is the client's own fault is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Nobody there, or no TLS with them.
    Connect,
    /// No first byte in time, or too long a silence after it.
    Timeout,
    /// An answer of the 500s, or 408.
    Status,
    /// 429: it has too much to do, and may say for how long.
    TooMany(Option<Duration>),
    /// The connection broke before the answer was whole.
    BrokenOff,
    /// The first token of a stream came later than the rule allows.
    SlowFirstToken,
    /// A probe of its health failed.
    Unwell,
}

impl Failure {
    /// A few fixed words for people, headers and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "no connection",
            Self::Timeout => "timeout",
            Self::Status => "server error",
            Self::TooMany(_) => "too many requests",
            Self::BrokenOff => "broke off",
            Self::SlowFirstToken => "slow first token",
            Self::Unwell => "unwell",
        }
    }

    /// Whether a probe that finds the target well again shows that this is over. A probe costs nothing, so it shows
    /// that somebody is there, not that a model answers.
    const fn a_probe_can_disprove(self) -> bool {
        matches!(self, Self::Connect | Self::Unwell)
    }

    fn rest(self, pause: Duration) -> Duration {
        match self {
            Self::TooMany(Some(asked)) => pause.max(asked.min(LONGEST_REST)),
            Self::TooMany(None)
            | Self::Connect
            | Self::Timeout
            | Self::Status
            | Self::BrokenOff
            | Self::SlowFirstToken
            | Self::Unwell => pause,
        }
    }
}

/// What an exchange is to the breaker that let it through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// One of many.
    Usual,
    /// The one that tries.
    Trial,
}

/// The target is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resting {
    /// Until this moment.
    Until(Duration),
    /// Until the one that tries knows more.
    Trying,
}

/// What an outcome changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It opened.
    Opened(Failure),
    /// The one that tried failed: it stays open.
    StaysOpen(Failure),
    /// It closed: the target serves again.
    Closed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed,
    Open { until: Duration, why: Failure },
    Trying { why: Failure },
}

/// One target's breaker.
#[derive(Clone, Debug)]
pub struct Breaker {
    state: State,
    /// When it failed, oldest first: as many as open it, no more.
    failures: VecDeque<Duration>,
    /// When the last try began.
    tried: Option<Duration>,
}

impl Default for Breaker {
    /// Closed, with a clean past.
    fn default() -> Self {
        Self {
            state: State::Closed,
            failures: VecDeque::new(),
            tried: None,
        }
    }
}

impl Breaker {
    /// Whether an exchange may go to the target now. Whoever gets a [`Pass::Trial`] must report its end.
    pub fn ask(&mut self, now: Duration) -> Result<Pass, Resting> {
        match self.state {
            State::Closed => Ok(Pass::Usual),
            State::Open { until, why } if now >= until => {
                self.state = State::Trying { why };
                self.tried = Some(now);
                Ok(Pass::Trial)
            }
            State::Open { until, .. } => Err(Resting::Until(until)),
            State::Trying { .. } => Err(Resting::Trying),
        }
    }

    /// The first byte of an answer came.
    pub fn served(&mut self, pass: Pass) -> Option<Change> {
        if pass == Pass::Usual || !matches!(self.state, State::Trying { .. }) {
            return None;
        }
        self.state = State::Closed;
        self.failures.clear();
        Some(Change::Closed)
    }

    /// An exchange failed through the target's fault.
    pub fn failed(
        &mut self,
        pass: Pass,
        failure: Failure,
        rule: &BreakerRule,
        now: Duration,
    ) -> Option<Change> {
        self.count(rule, now);
        let until = now.saturating_add(failure.rest(rule.pause));
        match (self.state, pass) {
            (State::Closed, _) => {
                let enough = usize::try_from(rule.failures.max(1)).unwrap_or(usize::MAX);
                if self.failures.len() < enough {
                    return None;
                }
                self.state = State::Open {
                    until,
                    why: failure,
                };
                Some(Change::Opened(failure))
            }
            (State::Trying { .. }, Pass::Trial) => {
                self.state = State::Open {
                    until,
                    why: failure,
                };
                Some(Change::StaysOpen(failure))
            }
            // From before it opened. A target that asks for more time is given it.
            (State::Open { until: set, why }, _) => {
                if let Failure::TooMany(Some(_)) = failure {
                    let until = set.max(until);
                    self.state = State::Open { until, why };
                }
                None
            }
            (State::Trying { .. }, Pass::Usual) => None,
        }
    }

    /// The one that tried ended without a word on the target: its client left, or it was cut.
    pub fn abandoned(&mut self, pass: Pass, rule: &BreakerRule, now: Duration) {
        if let (Pass::Trial, State::Trying { why }) = (pass, self.state) {
            let until = self.next_try(rule, now);
            self.state = State::Open { until, why };
        }
    }

    /// A probe of the target's health failed. One that tries is waited for.
    pub fn unwell(&mut self, rule: &BreakerRule, now: Duration) -> Option<Change> {
        let until = now.saturating_add(rule.pause);
        match self.state {
            State::Closed => {
                self.state = State::Open {
                    until,
                    why: Failure::Unwell,
                };
                Some(Change::Opened(Failure::Unwell))
            }
            State::Open { until: set, why } => {
                let until = set.max(until);
                self.state = State::Open { until, why };
                None
            }
            State::Trying { .. } => None,
        }
    }

    /// A probe found the target well: the next try may come sooner, where a probe can tell.
    pub fn well(&mut self, rule: &BreakerRule, now: Duration) {
        if let State::Open { until, why } = self.state
            && why.a_probe_can_disprove()
        {
            let until = until.min(self.next_try(rule, now));
            self.state = State::Open { until, why };
        }
    }

    /// Where it stands.
    #[must_use]
    pub const fn state(&self) -> BreakerState {
        match self.state {
            State::Closed => BreakerState::Closed,
            State::Open { .. } => BreakerState::Open,
            State::Trying { .. } => BreakerState::HalfOpen,
        }
    }

    /// What opened it, while it is not closed.
    #[must_use]
    pub const fn why(&self) -> Option<Failure> {
        match self.state {
            State::Closed => None,
            State::Open { why, .. } | State::Trying { why } => Some(why),
        }
    }

    /// Whether what opened it is something a probe that finds the target well shows to be over.
    #[must_use]
    pub const fn a_probe_can_tell(&self) -> bool {
        match self.why() {
            Some(why) => why.a_probe_can_disprove(),
            None => false,
        }
    }

    /// Failures within the span of its rule, at most as many as open it.
    #[must_use]
    pub fn failures(&self, rule: &BreakerRule, now: Duration) -> u32 {
        let recent = |at: &&Duration| at.saturating_add(rule.within) > now;
        u32::try_from(self.failures.iter().filter(recent).count()).unwrap_or(u32::MAX)
    }

    fn count(&mut self, rule: &BreakerRule, now: Duration) {
        let most = usize::try_from(rule.failures.max(1)).unwrap_or(usize::MAX);
        self.failures.push_back(now);
        while let Some(oldest) = self.failures.front()
            && (oldest.saturating_add(rule.within) <= now || self.failures.len() > most)
        {
            self.failures.pop_front();
        }
    }

    /// Now, but never less than a pause after the last try began.
    fn next_try(&self, rule: &BreakerRule, now: Duration) -> Duration {
        let tried = self.tried.map(|tried| tried.saturating_add(rule.pause));
        tried.map_or(now, |earliest| earliest.max(now))
    }
}
