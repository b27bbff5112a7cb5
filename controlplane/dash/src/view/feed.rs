//! What the gateway noticed, and which targets took the place of others.

use super::text::{When, counted};
use askama::Template;
use net_model::{FallbackView, Remark, RemarkKind, Snapshot};

#[derive(Debug, Template)]
#[template(path = "parts/feed.html")]
pub(crate) struct Feed {
    pub(crate) fallbacks: Vec<Fallback>,
    pub(crate) rows: Vec<Row>,
}

#[derive(Debug)]
pub(crate) struct Fallback {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) times: String,
    pub(crate) last: When,
}

#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) at: When,
    pub(crate) what: &'static str,
    pub(crate) consumer: String,
    pub(crate) text: String,
}

impl Feed {
    pub(crate) fn of(snapshot: &Snapshot) -> Self {
        Self {
            fallbacks: snapshot.fallbacks.iter().map(fallback).collect(),
            rows: snapshot.remarks.iter().map(row).collect(),
        }
    }
}

/// Each remark as a row.
pub(crate) fn remarks(all: &[Remark]) -> Vec<Row> {
    all.iter().map(row).collect()
}

fn fallback(view: &FallbackView) -> Fallback {
    Fallback {
        from: view.from.to_string(),
        to: view.to.to_string(),
        times: counted(view.times, "time", "times"),
        last: When::clock(view.last),
    }
}

fn row(remark: &Remark) -> Row {
    Row {
        at: When::day(remark.at),
        what: match remark.kind {
            RemarkKind::Alert => "looks like a runaway",
            RemarkKind::Throttle => "slowed down",
            RemarkKind::Budget => "budget",
        },
        consumer: remark
            .consumer
            .as_ref()
            .map_or_else(|| "all".to_owned(), ToString::to_string),
        text: remark.text.clone(),
    }
}
