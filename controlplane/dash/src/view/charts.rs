//! How each target answered over the last hour, minute by minute.

use net_model::grouped;
use std::collections::BTreeMap;
use store::Answered;

/// Minutes in a picture, and its height in its own units.
const MINUTES: u64 = 60;
const HEIGHT: u64 = 40;

/// Most targets drawn.
const CHARTS: usize = 64;

/// One target.
#[derive(Debug)]
pub(crate) struct TargetChart {
    pub(crate) name: String,
    pub(crate) exchanges: String,
    pub(crate) tokens: String,
    /// Milliseconds to the first byte in the slowest minute, on average.
    pub(crate) slowest: String,
    /// Bars of tokens: place, top, height.
    pub(crate) bars: Vec<(u64, u64, u64)>,
    /// Lines of the time to the first byte; a gap where nothing was answered.
    pub(crate) lines: Vec<String>,
}

pub(crate) fn target_charts(answered: &[Answered]) -> Vec<TargetChart> {
    let mut by_target: BTreeMap<&str, Vec<&Answered>> = BTreeMap::new();
    for it in answered.iter().filter(|it| it.minute < MINUTES) {
        by_target.entry(&it.target).or_default().push(it);
    }
    let charts = by_target.into_iter().take(CHARTS);
    charts
        .map(|(name, minutes)| chart(name, &minutes))
        .collect()
}

fn scaled(value: u64, most: u64) -> u64 {
    let height = (u128::from(value) * u128::from(HEIGHT)).div_ceil(u128::from(most.max(1)));
    u64::try_from(height).unwrap_or(HEIGHT).min(HEIGHT)
}

fn chart(name: &str, minutes: &[&Answered]) -> TargetChart {
    let most = minutes.iter().map(|it| it.tokens).max().unwrap_or(0);
    let slowest = minutes.iter().filter_map(|it| it.first_byte_ms).max();
    let exchanges = minutes
        .iter()
        .fold(0_u64, |sum, it| sum.saturating_add(it.exchanges));
    let tokens = minutes
        .iter()
        .fold(0_u64, |sum, it| sum.saturating_add(it.tokens));
    let bar = |it: &&Answered| {
        let height = scaled(it.tokens, most);
        (height > 0).then(|| (it.minute * 5, HEIGHT - height, height))
    };
    TargetChart {
        name: name.to_owned(),
        exchanges: grouped(exchanges),
        tokens: grouped(tokens),
        slowest: slowest.map_or_else(|| "–".to_owned(), |ms| format!("{} ms", grouped(ms))),
        bars: minutes.iter().filter_map(bar).collect(),
        lines: lines(minutes, slowest.unwrap_or(0)),
    }
}

fn lines(minutes: &[&Answered], slowest: u64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut before = None;
    for it in minutes {
        let Some(ms) = it.first_byte_ms else { continue };
        let (x, y) = (it.minute * 5 + 2, HEIGHT - scaled(ms, slowest));
        match (before, lines.last_mut()) {
            (Some(minute), Some(line)) if it.minute == minute + 1 => {
                line.push_str(&format!(" {x},{y}"));
            }
            // A minute that stands alone is a short dash.
            _ => lines.push(format!("{},{y} {x},{y}", x.saturating_sub(2))),
        }
        before = Some(it.minute);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: u64, tokens: u64, first_byte_ms: Option<u64>) -> Answered {
        Answered {
            target: "box".to_owned(),
            minute,
            exchanges: 1,
            tokens,
            first_byte_ms,
        }
    }

    #[test]
    fn a_minute_without_answers_is_a_gap_and_nothing_leaves_the_picture() {
        let all = [
            at(0, 10, Some(100)),
            at(1, 0, Some(50)),
            at(3, u64::MAX, Some(u64::MAX)),
            at(60, 5, Some(5)),
        ];
        let charts = target_charts(&all);
        assert_eq!(charts.len(), 1);
        assert_eq!(charts[0].lines, ["0,39 2,39 7,39", "15,0 17,0"]);
        assert_eq!(charts[0].bars, [(0, 39, 1), (15, 0, 40)]);
        assert!(target_charts(&[]).is_empty());
    }
}
