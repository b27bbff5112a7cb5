//! The figures as tables, and for programs to read.

use crate::{
    asked::Asked,
    figures::{Aim, All, What},
    peers::Kind,
};
use serde_json::{Value, json};
use site_tests::bench::page::machine;
use std::fmt::Write as _;

/// Both tables.
pub(crate) fn draw(all: &All, asked: &Asked) -> String {
    let there = |kind: &Kind| all.0.iter().any(|round| round.contains_key(kind));
    let kinds: Vec<Kind> = asked.peers.iter().copied().filter(there).collect();
    let others = |but: Kind| -> Vec<Kind> {
        let other = |kind: &Kind| *kind != Kind::Portcullis && *kind != but;
        kinds.iter().copied().filter(other).collect()
    };
    let mut text = format!(
        "{} rounds of {} small requests, {}; load average before: {}.\n\n\
         Ours in its unit; below each peer ours divided by that peer's in the same round, the median of the rounds. Below 1 is less.\n",
        asked.rounds,
        asked.requests,
        machine(),
        asked.load_before
    );
    let cells = |kind: Kind, what: What| shown(all.ratio(kind, what), "");
    rows(&mut text, all, &What::RATIOS, &others(Kind::Direct), cells);
    text.push_str("\nMilliseconds added to the way without a gateway.\n");
    let cells = |kind: Kind, what: What| shown(all.added(kind, what), " ms");
    rows(&mut text, all, &What::ADDED, &others(Kind::Direct), cells);
    text
}

/// One table: what is asked for, ours, and a cell for each of the others.
fn rows(
    text: &mut String,
    all: &All,
    whats: &[What],
    others: &[Kind],
    cell: impl Fn(Kind, What) -> String,
) {
    let heads: String = others
        .iter()
        .map(|kind| format!(" {} |", kind.name()))
        .collect();
    let lines = "---|".repeat(others.len());
    // Writing to a String cannot fail.
    let _infallible = writeln!(text, "\n| what | ours |{heads}\n|---|---|{lines}");
    for what in whats {
        let ours = if What::ADDED.contains(what) {
            cell(Kind::Portcullis, *what)
        } else {
            let unit = format!(" {}", what.unit());
            shown(all.median(Kind::Portcullis, *what), &unit)
        };
        let _infallible = write!(
            text,
            "| {} | {ours}{} |",
            what.name(),
            judged(all, *what, None)
        );
        for kind in others {
            let aim = judged(all, *what, Some(*kind));
            let _infallible = write!(text, " {}{aim} |", cell(*kind, *what));
        }
        text.push('\n');
    }
}

/// Two figures that count.
fn shown(figure: Option<f64>, unit: &str) -> String {
    let digits = |figure: f64| match figure.abs() {
        big if big >= 100.0 => 0,
        some if some >= 10.0 => 1,
        little if little >= 0.1 => 2,
        _ => 4,
    };
    figure.map_or_else(String::new, |figure| {
        format!("{figure:.*}{unit}", digits(figure))
    })
}

/// The aim beside a figure, and whether it is met.
fn judged(all: &All, what: What, against: Option<Kind>) -> String {
    let Some(aim) = what.aims().iter().find(|aim| aim.against == against) else {
        return String::new();
    };
    let Some(figure) = all.aimed(what, *aim) else {
        return String::new();
    };
    format!(" ({}: {})", wanted(*aim), verdict(*aim, figure))
}

fn wanted(aim: Aim) -> String {
    let sign = if aim.at_least { "≥" } else { "≤" };
    format!("aim {sign} {}", aim.bound)
}

fn verdict(aim: Aim, figure: f64) -> &'static str {
    if aim.met(figure) { "met" } else { "not met" }
}

/// Everything that was measured.
pub(crate) fn json(all: &All, asked: &Asked) -> Value {
    let every = || What::RATIOS.into_iter().chain(What::ADDED);
    let rounds: Vec<Value> = (all.0.iter())
        .map(|round| {
            let peers = round.iter().map(|(kind, figures)| {
                let figures = figures
                    .iter()
                    .map(|(what, figure)| (named(*what), json!(figure)));
                (kind.name().to_owned(), Value::Object(figures.collect()))
            });
            Value::Object(peers.collect())
        })
        .collect();
    let medians = asked.peers.iter().map(|kind| {
        let figures = every().filter_map(|what| {
            let figure = all.median(*kind, what)?;
            let (ratio, added) = (all.ratio(*kind, what), all.added(*kind, what));
            let figure = if What::ADDED.contains(&what) {
                json!({"figure": figure, "added": added})
            } else {
                json!({"figure": figure, "ours_to_theirs": ratio})
            };
            Some((named(what), figure))
        });
        (kind.name().to_owned(), Value::Object(figures.collect()))
    });
    let aims = every().flat_map(|what| {
        what.aims().iter().filter_map(move |aim| {
            let figure = all.aimed(what, *aim)?;
            Some(json!({
                "what": named(what), "against": aim.against.map(Kind::name), "aim": wanted(*aim),
                "figure": figure, "met": aim.met(figure),
            }))
        })
    });
    json!({
        "machine": machine(), "load_before": asked.load_before, "requests": asked.requests, "rounds": rounds,
        "medians": Value::Object(medians.collect()), "aims": aims.collect::<Vec<_>>(),
    })
}

fn named(what: What) -> String {
    format!("{}, {}", what.name(), what.unit())
}
