//! Whether a report is the next one of its host: numbers that grow, one start of the machine after the other.
//!
//! The buffer of an agent gives reports in the order of their numbers, so a start that was left is never seen again.
//! When it is, two machines speak with one key.

use net_model::report::{BootId, Report};
use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// Reports whose bytes are remembered: a batch whose answer was lost comes again whole.
const REMEMBERED: usize = 256;
/// Starts of the machine that are remembered.
const STARTS: usize = 4;
/// Two reports of one start lie at least this far apart, in milliseconds of the machine's own time.
const APART_MS: u64 = 4_000;

/// How far the reports of one host have come.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sequence {
    last: Option<Last>,
    left: VecDeque<BootId>,
    recent: VecDeque<(u64, u64)>,
}

/// The newest report that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Last {
    seq: u64,
    boot: BootId,
    up_ms: u64,
}

/// What a report is that may be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// The next one; so many before it never came.
    New {
        /// Reports that never came.
        lost: u64,
    },
    /// Taken before, byte for byte.
    Known,
}

/// Why a report may not be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Wrong {
    /// Its number was used by another report.
    #[error("its number was used before by a report that said something else")]
    Replay,
    /// A start of the machine that was left for another.
    #[error("it comes from a start of the machine that another start has followed")]
    TwoStarts,
    /// Time of the machine went back.
    #[error("the machine's uptime is less than in a report before it")]
    Back,
    /// Too soon after the one before.
    #[error("less than four seconds of the machine's uptime after the report before it")]
    TooSoon,
}

impl Sequence {
    /// As it stood when the program last ran.
    pub(crate) fn from_mark(seq: u64, boot: BootId, up_ms: u64) -> Self {
        Self {
            last: Some(Last { seq, boot, up_ms }),
            ..Self::default()
        }
    }

    /// What this report is. Changes nothing.
    pub(crate) fn judge(&self, report: &Report, line: &[u8]) -> Result<Next, Wrong> {
        let Some(last) = self.last else {
            return Ok(Next::New { lost: 0 });
        };
        if report.seq <= last.seq {
            let known = self.recent.iter().find(|(seq, _)| *seq == report.seq);
            return match known {
                Some((_, digest)) if *digest != digest_of(line) => Err(Wrong::Replay),
                // Too old to compare, or from before this program started.
                Some(_) | None => Ok(Next::Known),
            };
        }
        if report.boot != last.boot && self.left.contains(&report.boot) {
            return Err(Wrong::TwoStarts);
        }
        if report.boot == last.boot {
            if report.up_ms < last.up_ms {
                return Err(Wrong::Back);
            }
            if report.up_ms - last.up_ms < APART_MS {
                return Err(Wrong::TooSoon);
            }
        }
        Ok(Next::New {
            lost: report.seq - last.seq - 1,
        })
    }

    /// This report was taken, or is refused for good: nothing up to its number comes again.
    pub(crate) fn pass(&mut self, report: &Report, line: &[u8]) {
        if let Some(last) = self.last.filter(|last| last.boot != report.boot) {
            self.left.push_back(last.boot);
            if self.left.len() > STARTS {
                self.left.pop_front();
            }
        }
        self.last = Some(Last {
            seq: report.seq,
            boot: report.boot,
            up_ms: report.up_ms,
        });
        self.recent.push_back((report.seq, digest_of(line)));
        if self.recent.len() > REMEMBERED {
            self.recent.pop_front();
        }
    }
}

/// Only ever compared with lines of the same host.
fn digest_of(line: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    line.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use net_model::report::Facts;

    fn report(seq: u64, boot: u64, up_ms: u64) -> Report {
        Report {
            v: Default::default(),
            seq,
            boot: BootId::new(boot),
            up_ms,
            at_ms: 1,
            gap: 0,
            facts: Facts::default(),
        }
    }

    /// Takes it as the inventory does.
    fn take(sequence: &mut Sequence, report: &Report) -> Result<Next, Wrong> {
        let line = report.line();
        let next = sequence.judge(report, line.as_bytes());
        if matches!(next, Ok(Next::New { .. })) {
            sequence.pass(report, line.as_bytes());
        }
        next
    }

    #[test]
    fn numbers_grow_and_what_is_missing_is_counted() {
        let mut sequence = Sequence::default();
        assert_eq!(
            take(&mut sequence, &report(7, 1, 0)),
            Ok(Next::New { lost: 0 })
        );
        assert_eq!(
            take(&mut sequence, &report(8, 1, 10_000)),
            Ok(Next::New { lost: 0 })
        );
        assert_eq!(
            take(&mut sequence, &report(12, 1, 50_000)),
            Ok(Next::New { lost: 3 })
        );
    }

    #[test]
    fn what_comes_again_is_known_and_another_report_under_its_number_is_not() {
        let mut sequence = Sequence::default();
        take(&mut sequence, &report(1, 1, 0)).unwrap();
        take(&mut sequence, &report(2, 1, 10_000)).unwrap();
        assert_eq!(take(&mut sequence, &report(1, 1, 0)), Ok(Next::Known));
        assert_eq!(take(&mut sequence, &report(1, 1, 1)), Err(Wrong::Replay));
        assert_eq!(take(&mut sequence, &report(2, 2, 5)), Err(Wrong::Replay));
    }

    #[test]
    fn one_start_follows_another_and_never_the_other_way() {
        let mut sequence = Sequence::default();
        take(&mut sequence, &report(1, 1, 900_000)).unwrap();
        assert!(take(&mut sequence, &report(2, 2, 30_000)).is_ok());
        assert_eq!(
            take(&mut sequence, &report(3, 1, 920_000)),
            Err(Wrong::TwoStarts)
        );
        assert!(take(&mut sequence, &report(3, 2, 40_000)).is_ok());
    }

    #[test]
    fn uptime_goes_on_and_reports_lie_apart() {
        let mut sequence = Sequence::default();
        take(&mut sequence, &report(1, 1, 100_000)).unwrap();
        assert_eq!(take(&mut sequence, &report(2, 1, 99_999)), Err(Wrong::Back));
        assert_eq!(
            take(&mut sequence, &report(2, 1, 103_999)),
            Err(Wrong::TooSoon)
        );
        assert!(take(&mut sequence, &report(2, 1, 104_000)).is_ok());
    }
}
