//! The figures as a table.

use crate::Round;
use site_tests::bench::page;
use site_tests::bench::percentile::{highest, percentile};

/// What one row is about, and whether the sender went flat out.
type Row = (&'static str, bool, Vec<Round>);

pub(crate) fn render(rounds: u32, rows: &[Row]) -> String {
    let mut text = format!(
        "{rounds} cuts of each kind, each of a stream of its own, {}; sender, router and receiver in network namespaces.\n\n| cut by | stream | last byte p50 | p95 | max | the call itself p50 | p95 | aim |\n|---|---|---|---|---|---|---|---|\n",
        page::machine()
    );
    for (way, bulk, all) in rows {
        let last = millis(all, |round| round.last);
        let call = millis(all, |round| round.call);
        let stream = if *bulk { "flat out" } else { "paced" };
        let aim = match (way.contains("netlink"), bulk) {
            (true, false) => "p95 ≤ 2 ms",
            (true, true) => "p95 ≤ 15 ms",
            (false, _) => "none",
        };
        let (middle, high) = (percentile(&last, 50), percentile(&last, 95));
        let (call_middle, call_high) = (percentile(&call, 50), percentile(&call, 95));
        let most = highest(&last);
        let line = format!(
            "| {way} | {stream} | {middle:.2} ms | {high:.2} ms | {most:.2} ms | {call_middle:.2} ms | {call_high:.2} ms | {aim} |"
        );
        text.push_str(&line);
        text.push('\n');
    }
    text
}

fn millis(all: &[Round], of: impl Fn(&Round) -> i64) -> Vec<f64> {
    let micros = all.iter().map(|round| of(round) / 1000);
    // A thousandth of a millisecond is more than the clock of the receiver can tell.
    micros
        .map(|micros| i32::try_from(micros).map_or(f64::NAN, f64::from) / 1000.0)
        .collect()
}
