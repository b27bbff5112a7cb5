//! Which stretch of a host's history is looked at, how fine it is, and the ways to others.

use kill_wire::Timestamp;
use net_model::HistoryStep;
use serde::Deserialize;

const HOUR: u64 = 3_600_000;
/// The shortest stretch, in milliseconds.
const SHORTEST: u64 = 600_000;
/// Points of a picture.
pub(super) const POINTS: u32 = 800;

/// What the query asks for: a word such as `48h`, or from when to when in milliseconds since 1970.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Back {
    span: Option<String>,
    from: Option<u64>,
    to: Option<u64>,
}

/// A stretch of time in milliseconds since 1970, and how fine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) step: HistoryStep,
    /// One of those that end now.
    pub(super) word: Option<&'static str>,
}

impl Back {
    /// Of what there may be history: nothing of the future, nothing that is kept no more.
    pub(super) fn stretch(&self, now: Timestamp) -> Stretch {
        let now = now.millis();
        if let (Some(from), Some(to)) = (self.from, self.to) {
            return Stretch::between(from, to, now);
        }
        let (word, length, step) = match self.span.as_deref() {
            Some("48h") => ("48h", 48 * HOUR, HistoryStep::Quarter),
            Some("30d") => ("30d", 30 * 24 * HOUR, HistoryStep::Hour),
            _ => ("2h", 2 * HOUR, HistoryStep::Minute),
        };
        Stretch {
            from: now.saturating_sub(length),
            to: now,
            step,
            word: Some(word),
        }
    }
}

impl Stretch {
    fn between(from: u64, to: u64, now: u64) -> Self {
        let oldest = now.saturating_sub(HistoryStep::Hour.kept_millis());
        let to = to.min(now).max(oldest.saturating_add(SHORTEST));
        let from = from.max(oldest).min(to.saturating_sub(SHORTEST));
        let all = [HistoryStep::Report].into_iter().chain(HistoryStep::MEANS);
        let fits = |step: &HistoryStep| {
            let kept = now.saturating_sub(step.kept_millis()) <= from;
            kept && (to - from) / step.millis() <= POINTS.into()
        };
        Self {
            from,
            to,
            step: all.clone().find(fits).unwrap_or(HistoryStep::Hour),
            word: None,
        }
    }

    /// Ways to others: what they are called, and their query.
    pub(super) fn ways(&self, now: Timestamp) -> Vec<(&'static str, String)> {
        let (now, width) = (now.millis(), self.to - self.from);
        let oldest = now.saturating_sub(HistoryStep::Hour.kept_millis());
        let to = |from: u64, to: u64| format!("?from={from}&to={to}");
        let mut ways = Vec::new();
        if self.from > oldest {
            let by = width / 2;
            ways.push((
                "Earlier",
                to(self.from.saturating_sub(by), self.to.saturating_sub(by)),
            ));
        }
        if self.to < now {
            let by = (width / 2).min(now - self.to);
            ways.push(("Later", to(self.from + by, self.to + by)));
        }
        if width > SHORTEST {
            ways.push(("Closer", to(self.from + width / 4, self.to - width / 4)));
        }
        if width < now - oldest {
            let wider = to(
                self.from.saturating_sub(width / 2),
                self.to.saturating_add(width / 2),
            );
            ways.push(("Wider", wider));
        }
        ways
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_795_000_000_000;

    fn asked(from: u64, to: u64) -> Stretch {
        let back = Back {
            span: None,
            from: Some(from),
            to: Some(to),
        };
        back.stretch(Timestamp::from_millis(NOW))
    }

    #[test]
    fn a_stretch_is_as_fine_as_is_kept_and_fits() {
        let of = |from, to| asked(NOW - from, NOW - to).step;
        assert_eq!(of(HOUR, 0), HistoryStep::Report);
        assert_eq!(of(3 * HOUR, 2 * HOUR), HistoryStep::Minute);
        assert_eq!(of(20 * HOUR, 0), HistoryStep::Quarter, "too many minutes");
        assert_eq!(of(60 * HOUR, 59 * HOUR), HistoryStep::Quarter);
        assert_eq!(of(40 * 24 * HOUR, 39 * 24 * HOUR), HistoryStep::Hour);
    }

    #[test]
    fn absurd_stretches_are_bounded_and_every_way_leads_somewhere() {
        for (from, to) in [
            (0, 0),
            (u64::MAX, 0),
            (0, u64::MAX),
            (u64::MAX, u64::MAX),
            (NOW, NOW),
            (NOW - 1, NOW),
            (NOW - HOUR, NOW - HOUR / 2),
        ] {
            let it = asked(from, to);
            assert!(it.to <= NOW && it.from + SHORTEST <= it.to, "{it:?}");
            for (name, query) in it.ways(Timestamp::from_millis(NOW)) {
                let (from, to) = query
                    .strip_prefix("?from=")
                    .unwrap()
                    .split_once("&to=")
                    .unwrap();
                let there = asked(from.parse().unwrap(), to.parse().unwrap());
                assert!(there != it || name == "Wider", "{name}: {it:?}");
            }
        }
    }
}
