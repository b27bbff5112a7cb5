//! The figures as a table and as JSON.

use crate::round::Round;
use serde_json::{Value, json};
use site_tests::bench::percentile::{highest, percentile};
use site_tests::driven::Kind;

/// What was found of one gateway.
#[derive(Clone, Debug)]
pub(crate) struct Gateway {
    /// What it is called.
    pub(crate) name: &'static str,
    /// Until what, and how long that took.
    pub(crate) figures: Vec<(&'static str, Figures)>,
}

#[derive(Clone, Debug)]
pub(crate) enum Figures {
    /// In milliseconds, one of each cut; none where it could not be measured here.
    Measured(Vec<f64>),
    /// It does not come about by what is measured.
    Said(&'static str),
}

impl Gateway {
    pub(crate) fn of(kind: Kind, rounds: &[Round]) -> Self {
        let of = |pick: fn(&Round) -> f64| Figures::Measured(rounds.iter().map(pick).collect());
        let streams = rounds.iter().filter_map(|round| round.stream).collect();
        Self {
            name: match kind {
                Kind::Embedded => "the embedded gateway",
                Kind::Nginx => "nginx (the program)",
                Kind::Apisix => "APISIX (pretended)",
            },
            figures: vec![
                ("every connection refused", of(|round| round.refused)),
                ("stream ended", Figures::Measured(streams)),
                ("the driver's answer", of(|round| round.told)),
                (
                    "restore: every connection served",
                    of(|round| round.restored),
                ),
            ],
        }
    }
}

pub(crate) fn render(head: &str, gateways: &[Gateway]) -> String {
    let mut text = format!(
        "{head}\n\n| gateway | from the call until | p50 | p99 | max |\n|---|---|---|---|---|\n"
    );
    for Gateway { name, figures } in gateways {
        for (what, figures) in figures {
            let figures = match figures {
                Figures::Measured(figures) if !figures.is_empty() => figures,
                Figures::Measured(_) => {
                    text.push_str(&format!("| {name} | {what} | not here | | |\n"));
                    continue;
                }
                Figures::Said(said) => {
                    text.push_str(&format!("| {name} | {what} | {said} | | |\n"));
                    continue;
                }
            };
            let [middle, high] = [50, 99].map(|percent| percentile(figures, percent));
            let most = highest(figures);
            text.push_str(&format!(
                "| {name} | {what} | {middle:.1} ms | {high:.1} ms | {most:.1} ms |\n"
            ));
        }
    }
    text
}

pub(crate) fn json(gateways: &[Gateway]) -> Value {
    let gateways = gateways.iter().map(|gateway| {
        let figures = gateway.figures.iter().map(|(what, figures)| match figures {
            Figures::Said(said) => json!({ "what": what, "said": said }),
            Figures::Measured(figures) => {
                let of = |percent| percentile(figures, percent);
                json!({
                    "what": what, "rounds": figures.len(),
                    "p50_ms": of(50), "p99_ms": of(99), "max_ms": highest(figures),
                })
            }
        });
        json!({ "gateway": gateway.name, "figures": figures.collect::<Vec<_>>() })
    });
    Value::Array(gateways.collect())
}
