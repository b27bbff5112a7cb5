//! The table of ratios, and its place in the page of benchmarks.

use crate::{
    asked::Asked,
    figures::{All, Figures, Times},
    peers::Kind,
};
use anyhow::Context as _;
use std::path::Path;

const BEGIN: &str = "<!-- gateway: written by bench_gateway -->";
const END: &str = "<!-- end of gateway -->";

type Take = fn(&Figures) -> Option<f64>;

/// What, in which unit, and how it is taken out of a round.
const ROWS: [(&str, &str, Take); 14] = [
    ("CPU of a 1 KB answer", "us", |f| f.small_cpu),
    ("1 KB answers a second, 8 connections", "/s", |f| {
        f.small_rate
    }),
    ("CPU of a paced chunk", "us", |f| f.paced_cpu),
    ("CPU of a 200-chunk stream at full speed", "us", |f| {
        f.burst_cpu
    }),
    ("such streams a second", "/s", |f| f.burst_rate),
    ("p50 at 20 a second", "ms", |f| half(f.paces.at_20)),
    ("p50 at 200 a second", "ms", |f| half(f.paces.at_200)),
    ("p99 at 200 a second", "ms", |f| late(f.paces.at_200)),
    ("p50 at 1000 a second", "ms", |f| half(f.paces.at_1000)),
    ("p99 at 1000 a second", "ms", |f| late(f.paces.at_1000)),
    ("first token, p99 of 64 streams", "ms", |f| {
        late(f.first_token)
    }),
    ("memory idle", "MB", |f| f.idle_mb),
    ("memory of one open stream", "KB", |f| f.stream_kb),
    ("start to first answer", "ms", |f| f.start_ms),
];

fn half(times: Option<Times>) -> Option<f64> {
    times.map(|(p50, _)| p50)
}

fn late(times: Option<Times>) -> Option<f64> {
    times.map(|(_, p99)| p99)
}

/// Our own figures, and everybody else's as a multiple of them.
pub(crate) fn draw(all: &All, asked: &Asked) -> String {
    let others: Vec<Kind> = all
        .kinds()
        .filter(|kind| *kind != Kind::Portcullis)
        .collect();
    let mut text = format!(
        "Median of {} rounds in turns, {} small requests each (fewer for LiteLLM). Ours in its unit; every other column is that peer's figure divided by ours: above 1 it takes more, or does more a second.\n\n| what | ours |",
        asked.rounds, asked.requests
    );
    for kind in &others {
        text.push_str(&format!(" {} |", kind.name()));
    }
    text.push_str("\n|---|---|");
    text.push_str(&"---|".repeat(others.len()));
    for (what, unit, take) in ROWS {
        let ours = all.median(Kind::Portcullis, take);
        let shown = ours.map_or_else(String::new, |ours| format!("{ours:.1} {unit}"));
        text.push_str(&format!("\n| {what} | {shown} |"));
        for kind in &others {
            let ratio = all
                .median(*kind, take)
                .zip(ours)
                .map(|(theirs, ours)| theirs / ours);
            let shown = ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}"));
            text.push_str(&format!(" {shown} |"));
        }
    }
    text
}

/// Puts the table between its marks.
pub(crate) fn put(path: &Path, table: &str) -> anyhow::Result<()> {
    let page = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let (before, rest) = page
        .split_once(BEGIN)
        .with_context(|| format!("{} has no line {BEGIN}", path.display()))?;
    let (_, after) = rest
        .split_once(END)
        .with_context(|| format!("{} has no line {END}", path.display()))?;
    std::fs::write(path, format!("{before}{BEGIN}\n{table}\n{END}{after}"))?;
    Ok(())
}
