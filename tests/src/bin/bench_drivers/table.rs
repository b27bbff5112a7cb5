//! The figures as a table and as JSON.

use crate::round::Round;
use serde_json::{Value, json};
use site_tests::bench::percentile::{highest, percentile};
use site_tests::driven::Kind;

type Row = (Kind, Vec<Round>);

const fn called(kind: Kind) -> &'static str {
    match kind {
        Kind::Embedded => "the embedded gateway",
        Kind::Nginx => "nginx (the program)",
        Kind::Apisix => "APISIX (pretended)",
    }
}

/// What was measured, each with its figures.
fn figures(rounds: &[Round]) -> [(&'static str, Vec<f64>); 4] {
    let of = |pick: fn(&Round) -> f64| rounds.iter().map(pick).collect();
    [
        ("every connection refused", of(|round| round.refused)),
        (
            "stream ended",
            rounds.iter().filter_map(|round| round.stream).collect(),
        ),
        ("the driver's answer", of(|round| round.told)),
        (
            "restore: every connection served",
            of(|round| round.restored),
        ),
    ]
}

pub(crate) fn render(head: &str, rows: &[Row]) -> String {
    let mut text = format!(
        "{head}\n\n| gateway | from the call until | p50 | p99 | max |\n|---|---|---|---|---|\n"
    );
    for (kind, rounds) in rows {
        for (what, figures) in figures(rounds) {
            let name = called(*kind);
            if figures.is_empty() {
                text.push_str(&format!("| {name} | {what} | not here | | |\n"));
                continue;
            }
            let [middle, high] = [50, 99].map(|percent| percentile(&figures, percent));
            let most = highest(&figures);
            text.push_str(&format!(
                "| {name} | {what} | {middle:.1} ms | {high:.1} ms | {most:.1} ms |\n"
            ));
        }
    }
    text
}

pub(crate) fn json(rows: &[Row]) -> Value {
    let rows = rows.iter().map(|(kind, rounds)| {
        let figures = figures(rounds).into_iter().map(|(what, figures)| {
            let of = |percent| percentile(&figures, percent);
            json!({ "what": what, "p50_ms": of(50), "p99_ms": of(99), "max_ms": highest(&figures) })
        });
        json!({
            "gateway": called(*kind),
            "rounds": rounds.len(),
            "figures": figures.collect::<Vec<_>>(),
        })
    });
    Value::Array(rows.collect())
}
