//! Draws the figures beside the aims.

use crate::asked::Asked;
use crate::pages::{Found, Kind};
use serde_json::{Value, json};
use site_tests::bench::page::machine;
use site_tests::bench::percentile::{highest, percentile};
use std::fmt::Write as _;

/// Most milliseconds that the server may take for 95 of 100.
const SERVER_MS: f64 = 100.0;
/// Most KB (10^3 bytes) of a page with everything it brings along.
const WEIGHT_KB: f64 = 200.0;
/// Most milliseconds until something is shown.
const PAINT_MS: f64 = 1000.0;

/// What is said of one place.
struct Row {
    title: &'static str,
    p50: f64,
    p95: f64,
    max: f64,
    own_kb: f64,
    /// With what it brings along; none of what is no page.
    whole_kb: Option<f64>,
    paint: Option<f64>,
}

fn kb(bytes: usize) -> f64 {
    u32::try_from(bytes).map_or(f64::INFINITY, f64::from) / 1000.0
}

fn row(it: &Found) -> Row {
    let page = it.place.kind == Kind::Page;
    Row {
        title: it.place.title,
        p50: percentile(&it.took, 50),
        p95: percentile(&it.took, 95),
        max: highest(&it.took),
        own_kb: kb(it.bytes),
        whole_kb: page.then(|| kb(it.bytes + it.assets)),
        paint: (!it.paint.is_empty()).then(|| highest(&it.paint)),
    }
}

impl Row {
    fn met(&self) -> bool {
        self.p95 <= SERVER_MS
            && self.whole_kb.is_none_or(|kb| kb <= WEIGHT_KB)
            && self.paint.is_none_or(|ms| ms <= PAINT_MS)
    }
}

/// The figures for a program to read.
pub(crate) fn json(found: &[Found], peak_mb: f64, asked: &Asked) -> Value {
    let rows: Vec<Value> = found
        .iter()
        .map(row)
        .map(|it| {
            json!({
                "what": it.title, "p50_ms": it.p50, "p95_ms": it.p95, "max_ms": it.max, "kb": it.own_kb,
                "whole_kb": it.whole_kb, "paint_ms": it.paint, "met": it.met(),
            })
        })
        .collect();
    json!({
        "aims": { "p95_ms": SERVER_MS, "whole_kb": WEIGHT_KB, "paint_ms": PAINT_MS },
        "figures": rows, "peak_mb": peak_mb, "load_before": asked.load_before,
    })
}

/// The table as Markdown.
pub(crate) fn draw(found: &[Found], peak_mb: f64, asked: &Asked) -> String {
    let mut text = format!(
        "{} hosts, {} exchanges, {} incidents, each page {} times, {}; load average before: {}. \
         The whole program had at most {peak_mb:.0} MB.\n\n\
         | page | p50 | p95 | max | p95 of {SERVER_MS:.0} ms | page | whole | of {WEIGHT_KB:.0} KB | first paint | aims |\n\
         |---|---|---|---|---|---|---|---|---|---|\n",
        asked.hosts,
        asked.usage,
        asked.incidents,
        asked.rounds,
        machine(),
        asked.load_before,
    );
    for it in found.iter().map(row) {
        let none = || "-".to_owned();
        let whole = it.whole_kb.map_or_else(none, |kb| format!("{kb:.0} KB"));
        let share = it
            .whole_kb
            .map_or_else(none, |kb| format!("{:.2}", kb / WEIGHT_KB));
        let paint = it.paint.map_or_else(none, |ms| format!("{ms:.0} ms"));
        // Writing to a String cannot fail.
        let _infallible = writeln!(
            text,
            "| {} | {:.1} ms | {:.1} ms | {:.1} ms | {:.2} | {:.0} KB | {whole} | {share} | {paint} | {} |",
            it.title,
            it.p50,
            it.p95,
            it.max,
            it.p95 / SERVER_MS,
            it.own_kb,
            if it.met() { "met" } else { "not met" },
        );
    }
    text
}
