//! Draws the figures beside the aims.

use serde_json::{Value, json};
use site_tests::bench::page::{load, machine};

/// What was seen.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    /// Reports that the control plane has taken.
    pub(crate) beats: u64,
    /// Reports that were lost or refused.
    pub(crate) lost: u64,
    /// Resident memory after an hour's reports, in MB.
    pub(crate) hour_mb: f64,
    /// At the end.
    pub(crate) end_mb: f64,
    /// At most.
    pub(crate) most_mb: f64,
}

/// The figures for a program to read.
pub(crate) fn json(figures: &Figures, size: u64) -> Value {
    json!({
        "reports": figures.beats, "lost": figures.lost, "hour_mb": figures.hour_mb,
        "end_mb": figures.end_mb, "most_mb": figures.most_mb, "program_bytes": size,
    })
}

/// The table as Markdown.
pub(crate) fn draw(figures: &Figures, size: u64) -> String {
    let tenths = size / 100_000;
    let judged = |met: bool| if met { "met" } else { "not met" };
    format!(
        "{} reports brought to a control plane over mutual TLS, {} lost or refused; {}; load average at the end: {}.\n\n\
         | what | found | aim |\n|---|---|---|\n\
         | resident after the reports of an hour | {:.2} MB | |\n\
         | resident at the end | {:.2} MB | |\n\
         | resident at most | {:.2} MB | ≤ 8 MB: {} |\n\
         | the program itself | {}.{} MB | ≤ 6 MB: {} |\n",
        figures.beats,
        figures.lost,
        machine(),
        load(),
        figures.hour_mb,
        figures.end_mb,
        figures.most_mb,
        judged(figures.most_mb <= 8.0),
        tenths / 10,
        tenths % 10,
        judged(size <= 6_000_000),
    )
}
