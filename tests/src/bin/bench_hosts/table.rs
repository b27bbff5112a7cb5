//! Draws the figures beside the aims.

use crate::asked::Asked;
use crate::figures::Figures;
use serde_json::{Value, json};
use site_tests::bench::page::machine;
use site_tests::bench::percentile::percentile;
use site_tests::bench::report::report;
use std::fmt::Write as _;

/// One line: what, figure, unit, most that is aimed at.
struct Row(&'static str, f64, &'static str, Option<f64>);

fn rows(all: &Figures) -> Vec<Row> {
    let ms = |what, of: &[f64], percent, aim| Row(what, percentile(of, percent), "ms", aim);
    let (calm, flooded) = (percentile(&all.calm, 99), percentile(&all.flooded, 99));
    vec![
        Row(
            "processor of the control plane, of a core",
            all.cpu_percent,
            "%",
            Some(20.0),
        ),
        Row(
            "resident memory at most, flood and pages included",
            all.peak_mb,
            "MB",
            Some(100.0),
        ),
        ms("report until it is on disk, p50", &all.quiet, 50, None),
        ms("report until it is on disk, p99", &all.quiet, 99, None),
        ms("the same between floods, p99", &all.calm, 99, None),
        ms(
            "the same of the others while one host floods, p50",
            &all.flooded,
            50,
            None,
        ),
        ms(
            "the same of the others while one host floods, p99",
            &all.flooded,
            99,
            None,
        ),
        Row(
            "flooded against between, p99",
            flooded / calm,
            "times",
            Some(1.1),
        ),
        ms("page of the list, p50", &all.list, 50, None),
        ms("page of the list, p95", &all.list, 95, Some(100.0)),
        ms("page of one host, p50", &all.one, 50, None),
        ms("page of one host, p95", &all.one, 95, None),
        Row(
            "reports of other hosts that were not taken",
            count(all.missed),
            "",
            Some(0.0),
        ),
    ]
}

fn count(of: usize) -> f64 {
    u32::try_from(of).map_or(f64::INFINITY, f64::from)
}

/// The figures for a program to read.
pub(crate) fn json(all: &Figures, asked: &Asked) -> Value {
    let rows: Vec<Value> = rows(all)
        .into_iter()
        .map(|Row(what, figure, unit, aim)| {
            json!({"what": what, "figure": figure, "unit": unit, "aim": aim})
        })
        .collect();
    let flood = all.flood;
    json!({
        "hosts": asked.hosts,
        "reports": all.quiet.len() + all.calm.len() + all.flooded.len(),
        "join_s": all.join_s,
        "figures": rows,
        "flood": {
            "sent": flood.sent, "judged": flood.judged, "turned_away": flood.later, "broken_off": flood.broken,
        },
        "load_before": asked.load_before,
    })
}

/// The table as Markdown.
pub(crate) fn draw(all: &Figures, asked: &Asked) -> String {
    let (hosts, every) = (asked.hosts, asked.period().as_secs());
    let mut text = format!(
        "{hosts} hosts, a report of {} bytes each {every} s ({} in {} s, {} and {} between and in floods), {}; load average before: {}.\n\n\
         | what | found | aim |\n|---|---|---|\n",
        report(hosts / 2, 100).len(),
        all.quiet.len(),
        asked.span().as_secs(),
        all.calm.len(),
        all.flooded.len(),
        machine(),
        asked.load_before,
    );
    for Row(what, figure, unit, aim) in rows(all) {
        let aim = aim.map(|aim| {
            let met = if figure <= aim { "met" } else { "not met" };
            format!("≤ {aim} {unit}: {met}")
        });
        let figure = match unit {
            "" => format!("{figure:.0}"),
            "times" => format!("{figure:.2} times"),
            _ => format!("{figure:.1} {unit}"),
        };
        // Writing to a String cannot fail.
        let _infallible = writeln!(
            text,
            "| {what} | {figure} | {} |",
            aim.unwrap_or_default().replace(" :", ":")
        );
    }
    let flood = all.flood;
    let _infallible = writeln!(
        text,
        "\nAll hosts joined within {:.0} s. Of {} hostile requests {} were read and judged, {} were turned away, {} broken off.",
        all.join_s, flood.sent, flood.judged, flood.later, flood.broken
    );
    text
}
