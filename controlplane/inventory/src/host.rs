//! One host: how far its reports have come, what waits to be written, what was seen of it.

use crate::alerts::{Models, Rule};
use crate::gauges::{Counters, gauges};
use crate::pace::Pace;
use crate::sender::Sender;
use crate::sequence::{Next, Sequence, Wrong};
use kill_wire::Timestamp;
use net_model::Gauges;
use net_model::report::Report;
use std::collections::VecDeque;
use store::ReportMark;

/// Reports of one host that wait to be written.
const WAITING: usize = 256;
/// What was alarming stays so for as long.
const ALARMED_MS: u64 = 3_600_000;
/// How old a report out of a buffer may be.
const OLDEST_MS: u64 = 26 * 3_600_000;
/// A clock that is off by less is taken at its word.
const OFF_MS: u64 = 60_000;
/// So many refused within [`ALARMED_MS`] are more than a mistake.
const GARBLED: u64 = 10;

/// One host.
#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) pace: Pace,
    pub(crate) models: Models,
    /// When a report of it was last taken.
    pub(crate) heard: Option<Timestamp>,
    /// Number of the newest report that is written down.
    pub(crate) written: u64,
    pub(crate) lost: u64,
    pub(crate) refused: u64,
    pub(crate) waiting: VecDeque<Waiting>,
    sequence: Sequence,
    counters: Option<Counters>,
    /// How far its clock is behind (ahead: negative), by the newest report that was not out of a buffer.
    behind_ms: i64,
    cloned: Option<Timestamp>,
    stepped: Option<Timestamp>,
    garbage: VecDeque<Timestamp>,
}

/// A report that was taken and is not written down.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(crate) from: Sender,
    pub(crate) report: Report,
    pub(crate) gauges: Gauges,
    /// When it came.
    pub(crate) came: Timestamp,
    /// When it was measured, by our clock as far as can be told.
    pub(crate) measured: Timestamp,
}

/// What became of a report that is the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    Kept,
    Known,
    Full,
}

/// What of a wrong report somebody should know.
pub(crate) const fn alarming(wrong: Wrong) -> Option<(Rule, &'static str)> {
    match wrong {
        Wrong::TwoStarts => Some((
            Rule::Clone,
            "two machines report with its key: revoke it and invite it again",
        )),
        Wrong::Replay => Some((
            Rule::Sequence,
            "a report came again under its number with other contents",
        )),
        Wrong::Back => Some((Rule::Sequence, "its reports go back in time")),
        Wrong::TooSoon => None,
    }
}

impl Host {
    pub(crate) fn new(now: Timestamp) -> Self {
        Self {
            pace: Pace::new(now),
            models: Models::default(),
            heard: None,
            written: 0,
            lost: 0,
            refused: 0,
            waiting: VecDeque::new(),
            sequence: Sequence::default(),
            counters: None,
            behind_ms: 0,
            cloned: None,
            stepped: None,
            garbage: VecDeque::new(),
        }
    }

    pub(crate) fn from_mark(mark: ReportMark, now: Timestamp) -> Self {
        Self {
            heard: Some(mark.at.min(now)),
            written: mark.seq,
            lost: mark.lost,
            refused: mark.refused,
            sequence: Sequence::from_mark(mark.seq, mark.boot, mark.up_ms),
            ..Self::new(now)
        }
    }

    /// Takes a report in, if it is the next one.
    pub(crate) fn take(
        &mut self,
        from: &Sender,
        report: Report,
        line: &[u8],
        now: Timestamp,
    ) -> Result<Entry, Wrong> {
        let lost = match self.sequence.judge(&report, line) {
            Ok(Next::New { lost }) => lost,
            Ok(Next::Known) => return Ok(Entry::Known),
            Err(wrong) => {
                self.garbage(now);
                match wrong {
                    Wrong::TwoStarts => self.cloned = Some(now),
                    Wrong::Replay | Wrong::Back => self.stepped = Some(now),
                    Wrong::TooSoon => {}
                }
                return Err(wrong);
            }
        };
        if self.waiting.len() >= WAITING {
            return Ok(Entry::Full);
        }
        self.sequence.pass(&report, line);
        self.lost = self.lost.saturating_add(lost);
        let gauges = gauges(&report, self.counters);
        self.counters = Counters::of(&report).or(self.counters);
        let measured = self.measured(&report, now);
        self.heard = Some(now);
        self.waiting.push_back(Waiting {
            from: from.clone(),
            report,
            gauges,
            came: now,
            measured,
        });
        Ok(Entry::Kept)
    }

    /// When a report was measured: now, unless it comes out of a buffer. Never later than now, and within what is kept.
    fn measured(&mut self, report: &Report, now: Timestamp) -> Timestamp {
        let agent = report.facts.agent.as_ref();
        let live = agent.is_some_and(|agent| agent.waiting <= 1);
        let came = i64::try_from(now.millis()).unwrap_or(i64::MAX);
        let said = i64::try_from(report.at_ms).unwrap_or(i64::MAX);
        if live {
            let behind = came - said;
            self.behind_ms = if behind.unsigned_abs() > OFF_MS {
                behind
            } else {
                0
            };
        }
        let at = u64::try_from(said.saturating_add(self.behind_ms)).unwrap_or_default();
        let oldest = now.millis().saturating_sub(OLDEST_MS);
        Timestamp::from_millis(at.clamp(oldest, now.millis()))
    }

    /// It sent something that is not taken.
    pub(crate) fn garbage(&mut self, now: Timestamp) {
        self.refused = self.refused.saturating_add(1);
        self.garbage.push_back(now);
        if self.garbage.len() as u64 > GARBLED {
            self.garbage.pop_front();
        }
    }

    /// Whether it sends much that is not taken.
    pub(crate) fn garbles(&self, now: Timestamp) -> bool {
        let recent = |at: &&Timestamp| now.since(**at) < ALARMED_MS;
        self.garbage.iter().filter(recent).count() as u64 >= GARBLED
    }

    /// Which of what was alarming is so no more.
    pub(crate) fn calm(&mut self, now: Timestamp) -> impl Iterator<Item = Rule> + use<> {
        let over =
            |at: &mut Option<Timestamp>| at.take_if(|at| now.since(*at) >= ALARMED_MS).is_some();
        let cloned = over(&mut self.cloned).then_some(Rule::Clone);
        let stepped = over(&mut self.stepped).then_some(Rule::Sequence);
        let garbled = (!self.garbage.is_empty() && !self.garbles(now)).then_some(Rule::Refused);
        cloned.into_iter().chain(stepped).chain(garbled)
    }
}
