//! Draws the figures beside the aims.

use crate::Looked;
use crate::asked::Asked;
use crate::fill::Filled;
use net_model::grouped;
use site_tests::bench::page::machine;
use site_tests::bench::percentile::{highest, percentile};

/// Most milliseconds of a page, 95 of 100 times.
const MOST_MS: f64 = 100.0;
/// Most bytes of a page.
const MOST_BYTES: usize = 200_000;

pub(crate) fn draw(all: &[Looked], filled: &Filled, asked: &Asked, peak_mb: f64) -> String {
    let mut text = format!(
        "{} hosts, {} calls over thirty days (filled in within {:.0} s), each page {} times, {}; load average before: {}. Resident memory at most {peak_mb:.0} MB.\n\n",
        filled.hosts,
        grouped(filled.calls),
        filled.seconds,
        asked.rounds,
        machine(),
        asked.load_before,
    );
    text.push_str("| page | p50 | p95 | most | weight | aim: p95 ≤ 100 ms, ≤ 200 KB |\n|---|---|---|---|---|---|\n");
    for it in all {
        let p95 = percentile(&it.ms, 95);
        let met = p95 <= MOST_MS && it.weight <= MOST_BYTES;
        let weight = f64::from(u32::try_from(it.weight).unwrap_or(u32::MAX)) / 1000.0;
        text.push_str(&format!(
            "| `{}` | {:.1} ms | {p95:.1} ms | {:.1} ms | {weight:.1} KB | {} |\n",
            it.path,
            percentile(&it.ms, 50),
            highest(&it.ms),
            if met { "met" } else { "missed" },
        ));
    }
    text
}
