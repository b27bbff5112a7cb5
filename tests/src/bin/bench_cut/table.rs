//! Draws the figures beside the aims.

use crate::figures::Figures;
use site_tests::bench::{
    page::machine,
    percentile::{highest, percentile},
};
use std::fmt::Write as _;

/// One line of the table.
struct Row(&'static str, f64, &'static str, Option<f64>);

fn rows(all: &Figures) -> Vec<Row> {
    let (mid, p99) = (
        |of: &[f64]| percentile(of, 50),
        |of: &[f64]| percentile(of, 99),
    );
    let row = |what, figure, aim| Row(what, figure, "ms", aim);
    let mb = |what, figure, aim| Row(what, figure, "MB", aim);
    let (passed, refused) = (&all.passed, &all.refused);
    let (last, closed, reply) = (&all.last_byte, &all.upstream, &all.reply);
    vec![
        row(
            "last new request let through, median",
            mid(passed),
            Some(10.0),
        ),
        row(
            "last new request let through, worst",
            highest(passed),
            Some(10.0),
        ),
        row("first refusal arrived, median", mid(refused), None),
        row("first refusal arrived, worst", highest(refused), None),
        row("last byte of a stream, p50", mid(last), None),
        row("last byte of a stream, p99", p99(last), Some(50.0)),
        row("last byte of a stream, worst", highest(last), Some(250.0)),
        row("upstream closed, p99", p99(closed), Some(50.0)),
        row("upstream closed, worst", highest(closed), Some(250.0)),
        row("reply with the proof, median", mid(reply), None),
        row("reply with the proof, worst", highest(reply), None),
        row("start, worst", highest(&all.start), Some(1000.0)),
        mb(
            "resident memory, idle, worst",
            highest(&all.idle_mb),
            Some(40.0),
        ),
        mb(
            "resident memory with the streams, worst",
            highest(&all.busy_mb),
            None,
        ),
    ]
}

/// The figures for a program to read.
pub(crate) fn json(all: &Figures) -> serde_json::Value {
    rows(all)
        .into_iter()
        .map(|Row(what, figure, unit, aim)| {
            serde_json::json!({"what": what, "figure": figure, "unit": unit, "aim": aim})
        })
        .collect()
}

/// The table as Markdown.
pub(crate) fn draw(all: &Figures, rounds: u32, streams: usize) -> String {
    let mut text = format!(
        "{rounds} rounds of {streams} streams ({} streams in all, {} of them reset instead of told), {}.\n\n\
         | what | measured | aim | of the aim |\n|---|---|---|---|\n",
        all.last_byte.len(),
        all.reset,
        machine()
    );
    for Row(what, figure, unit, aim) in rows(all) {
        let (aim, part) = aim.map_or_else(Default::default, |aim| {
            let part = 100.0 * figure / aim;
            (format!("≤ {aim} {unit}"), format!("{part:.0} %"))
        });
        // Writing to a String cannot fail.
        let _infallible = writeln!(text, "| {what} | {figure:.1} {unit} | {aim} | {part} |");
    }
    let _infallible = writeln!(text, "\nThe last reply: `{}`", all.said);
    text
}
