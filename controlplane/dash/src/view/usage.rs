//! Tokens of the last hour, with one bar a minute.

use super::text::counted;
use askama::Template;
use net_model::grouped;
use net_model::{Snapshot, UsageTotals};

/// Height of the picture in its own units; each bar is 4 wide with a gap of 1.
const HEIGHT: u64 = 48;

#[derive(Debug, Template)]
#[template(path = "parts/usage.html")]
pub(crate) struct Usage {
    pub(crate) total: String,
    pub(crate) prompt: String,
    pub(crate) completion: String,
    pub(crate) exchanges: String,
    /// How much of it is own counts, in words.
    pub(crate) estimated: String,
    /// What it cost, as far as prices are known, in words.
    pub(crate) cost: String,
    pub(crate) bars: Vec<Bar>,
    pub(crate) label: String,
}

/// One minute.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Bar {
    pub(crate) x: usize,
    pub(crate) y: u64,
    pub(crate) height: u64,
}

impl Usage {
    pub(crate) fn of(snapshot: &Snapshot) -> Self {
        let hour = &snapshot.last_hour;
        let most = snapshot.minutes.iter().copied().max().unwrap_or(0);
        let now = snapshot.minutes.last().copied().unwrap_or(0);
        Self {
            total: grouped(hour.prompt_tokens.saturating_add(hour.completion_tokens)),
            prompt: grouped(hour.prompt_tokens),
            completion: grouped(hour.completion_tokens),
            exchanges: counted(hour.exchanges, "exchange", "exchanges"),
            estimated: share(hour.estimated, hour.exchanges),
            cost: cost(hour),
            bars: bars(&snapshot.minutes),
            label: format!(
                "Tokens a minute over the last hour: {} in the busiest minute, {} in this one",
                grouped(most),
                grouped(now)
            ),
        }
    }
}

fn share(estimated: u64, exchanges: u64) -> String {
    if estimated == 0 {
        return "all figures from the upstreams".to_owned();
    }
    let percent = estimated.saturating_mul(100).div_ceil(exchanges.max(1));
    format!("{percent}% of the exchanges counted by ourselves")
}

/// What is not known is said beside the sum: it is no part of it, and it is not nothing.
fn cost(hour: &UsageTotals) -> String {
    let known = format!("${}", hour.cost);
    match hour.unknown_price {
        0 => known,
        unknown => format!(
            "{known} and {} of unknown price",
            counted(unknown, "exchange", "exchanges")
        ),
    }
}

fn bars(minutes: &[u64]) -> Vec<Bar> {
    let most = u128::from(minutes.iter().copied().max().unwrap_or(0).max(1));
    let bar = |(at, tokens): (usize, &u64)| {
        let height = (u128::from(*tokens) * u128::from(HEIGHT)).div_ceil(most);
        let height = u64::try_from(height).unwrap_or(HEIGHT);
        Bar {
            x: at * 5,
            y: HEIGHT - height,
            height,
        }
    };
    let all = minutes.iter().take(60).enumerate().map(bar);
    all.filter(|bar| bar.height > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_fit_the_picture_whatever_the_figures() {
        assert_eq!(bars(&[]), []);
        assert_eq!(bars(&[0; 60]), []);
        let seen = bars(&[u64::MAX, 1, 0, u64::MAX / 2]);
        let heights: Vec<(usize, u64)> = seen.iter().map(|b| (b.x, b.height)).collect();
        assert_eq!(heights, [(0, 48), (5, 1), (15, 24)]);
        assert!(seen.iter().all(|bar| bar.y + bar.height == HEIGHT));
    }

    #[test]
    fn what_is_unknown_stands_beside_the_sum() {
        let mut hour = UsageTotals::default();
        assert_eq!(cost(&hour), "$0.00");
        hour.cost = net_model::MicroDollars(12_500);
        hour.unknown_price = 1;
        assert_eq!(cost(&hour), "$0.0125 and 1 exchange of unknown price");
    }

    #[test]
    fn a_single_own_count_is_never_rounded_away() {
        assert_eq!(share(1, 1000), "1% of the exchanges counted by ourselves");
        assert_eq!(share(3, 3), "100% of the exchanges counted by ourselves");
        assert_eq!(share(0, 9), "all figures from the upstreams");
    }
}
