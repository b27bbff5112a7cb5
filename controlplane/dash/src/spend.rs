//! What the house spends: by whom, on what, by whom answered, day by day, against its budgets, and what looked like a runaway.
//!
//! Everything is added up from whole days, so that a year of many exchanges is read as fast as an hour of few.

pub(crate) mod api;
mod csv;

use crate::answer::{html, refusal};
use crate::caller::Caller;
use crate::frame::Frame;
use crate::site::Site;
use crate::view::{Budgets, Feed, counted, drawn};
use askama::Template;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use kill_wire::Timestamp;
use net_model::{UsageTotals, grouped};
use serde::Deserialize;
use std::sync::Arc;
use store::{Spending, StoreError};

/// Most rows on the page; the file has more.
const ROWS: u32 = 60;
/// Most rows of the file.
const FILE_ROWS: u32 = 100_000;
/// Remarks on the page.
const REMARKS: u32 = 50;
const DAY_MS: u64 = 86_400_000;
/// Height of the picture in its own units.
const HEIGHT: u64 = 80;

/// Whole days back, today included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
enum Span {
    #[serde(rename = "1d")]
    Today,
    #[default]
    #[serde(rename = "7d")]
    Week,
    #[serde(rename = "30d")]
    Month,
    #[serde(rename = "365d")]
    Year,
}

const SPANS: [(Span, &str, &str, u64); 4] = [
    (Span::Today, "1d", "Today", 1),
    (Span::Week, "7d", "7 days", 7),
    (Span::Month, "30d", "30 days", 30),
    (Span::Year, "365d", "A year", 365),
];

impl Span {
    fn days(self) -> u64 {
        let row = SPANS.iter().find(|(span, ..)| *span == self);
        row.map_or(7, |(.., days)| *days)
    }

    fn word(self) -> &'static str {
        let row = SPANS.iter().find(|(span, ..)| *span == self);
        row.map_or("7d", |(_, word, ..)| word)
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum By {
    #[default]
    Consumer,
    Model,
    Target,
    Route,
    Source,
    Day,
}

const BYS: [(By, &str, &str, Spending); 6] = [
    (By::Consumer, "consumer", "Consumer", Spending::Consumer),
    (By::Model, "model", "Model", Spending::Model),
    (By::Target, "target", "Target", Spending::Target),
    (By::Route, "route", "Route", Spending::Route),
    (By::Source, "source", "Gateway", Spending::Source),
    (By::Day, "day", "Day", Spending::Day),
];

impl By {
    fn row(self) -> (&'static str, &'static str, Spending) {
        let row = BYS.iter().find(|(by, ..)| *by == self);
        row.map_or(
            ("consumer", "Consumer", Spending::Consumer),
            |(_, word, title, by)| (word, title, *by),
        )
    }
}

/// What to add up.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(crate) struct Wanted {
    #[serde(default)]
    by: By,
    #[serde(default)]
    span: Span,
}

#[derive(Debug, Template)]
#[template(path = "spend/page.html")]
struct Page {
    frame: Frame,
    by: &'static str,
    title: &'static str,
    span: &'static str,
    bys: Vec<Choice>,
    spans: Vec<Choice>,
    total: Row,
    rows: Vec<Row>,
    /// More rows than the page shows.
    more: bool,
    bars: Vec<Bar>,
    width: u64,
    label: String,
    first_day: String,
    last_day: String,
    budgets: Budgets,
    feed: Feed,
}

#[derive(Debug)]
struct Choice {
    title: &'static str,
    query: String,
    chosen: bool,
}

#[derive(Debug)]
struct Row {
    name: String,
    cost: String,
    /// Hundredths of the dearest row.
    share: u64,
    unknown: String,
    prompt: String,
    completion: String,
    exchanges: String,
}

/// One day.
#[derive(Debug, PartialEq, Eq)]
struct Bar {
    x: u64,
    y: u64,
    height: u64,
    title: String,
}

pub(crate) async fn show(
    caller: Caller,
    State(site): State<Arc<Site>>,
    Query(wanted): Query<Wanted>,
) -> Response {
    match page(&site, &caller, wanted).await {
        Ok(page) => html(StatusCode::OK, &page),
        Err(error) => unreadable(&error),
    }
}

async fn page(site: &Site, caller: &Caller, wanted: Wanted) -> Result<Page, StoreError> {
    let (first, now) = range(site.now(), wanted.span);
    let (by, title, spending) = wanted.by.row();
    let store = &site.app.store;
    let mut rows = store
        .spending_by_day(spending, first, now, ROWS + 1)
        .await?;
    let days = store
        .spending_by_day(Spending::Day, first, now, 366)
        .await?;
    let more = rows.len() > ROWS as usize;
    rows.truncate(ROWS as usize);
    let total = days.iter().map(|(_, day)| day.clone());
    let total = total.fold(UsageTotals::default(), UsageTotals::plus);
    let dearest = rows
        .iter()
        .map(|(_, it)| weight(it))
        .max()
        .unwrap_or((0, 0));
    let snapshot = site.snapshot();
    Ok(Page {
        frame: Frame::of(site, caller, "/spend").live("spend"),
        by,
        title,
        span: wanted.span.word(),
        bys: bys(&wanted),
        spans: spans(&wanted),
        total: row("All".to_owned(), &total, (0, 0)),
        rows: rows
            .iter()
            .map(|(name, it)| row(called(wanted.by, name), it, dearest))
            .collect(),
        more,
        bars: bars(&days, first, wanted.span.days()),
        width: wanted.span.days() * 10,
        label: format!(
            "Spent a day over {} days: ${} in all",
            wanted.span.days(),
            total.cost
        ),
        first_day: day(first),
        last_day: day(now),
        budgets: Budgets::of(&snapshot),
        feed: Feed {
            rows: crate::view::remarks(&store.remarks(REMARKS).await?),
            fallbacks: Vec::new(),
        },
    })
}

fn bys(wanted: &Wanted) -> Vec<Choice> {
    let span = wanted.span.word();
    let choice = |(it, word, title, _): &(By, &str, &'static str, Spending)| Choice {
        title,
        query: format!("by={word}&span={span}"),
        chosen: *it == wanted.by,
    };
    BYS.iter().map(choice).collect()
}

fn spans(wanted: &Wanted) -> Vec<Choice> {
    let by = wanted.by.row().0;
    let choice = |(it, word, title, _): &(Span, &str, &'static str, u64)| Choice {
        title,
        query: format!("by={by}&span={word}"),
        chosen: *it == wanted.span,
    };
    SPANS.iter().map(choice).collect()
}

/// From the beginning of the first day.
fn range(now: Timestamp, span: Span) -> (Timestamp, Timestamp) {
    let today = now.millis() / DAY_MS;
    let first = today.saturating_sub(span.days() - 1);
    (Timestamp::from_millis(first * DAY_MS), now)
}

/// `2026-11-22`.
fn day(at: Timestamp) -> String {
    at.to_string().chars().take(10).collect()
}

/// As it is called; a day is kept as a number.
fn called(by: By, name: &str) -> String {
    let number = (by == By::Day).then(|| name.parse::<u64>().ok()).flatten();
    number.map_or_else(
        || name.to_owned(),
        |number| day(Timestamp::from_millis(number.saturating_mul(DAY_MS))),
    )
}

/// What a bar is as long as: money, or tokens where nothing cost any.
fn weight(it: &UsageTotals) -> (u64, u64) {
    (
        it.cost.0,
        it.prompt_tokens.saturating_add(it.completion_tokens),
    )
}

fn share(of: u64, most: u64) -> u64 {
    let share = u128::from(of) * 100 / u128::from(most.max(1));
    u64::try_from(share).unwrap_or(100).min(100)
}

fn row(name: String, it: &UsageTotals, dearest: (u64, u64)) -> Row {
    let (cost, tokens) = weight(it);
    Row {
        name,
        cost: format!("${}", it.cost),
        share: if dearest.0 > 0 {
            share(cost, dearest.0)
        } else {
            share(tokens, dearest.1)
        },
        unknown: match it.unknown_price {
            0 => String::new(),
            unknown => format!(
                "and {} of unknown price",
                counted(unknown, "exchange", "exchanges")
            ),
        },
        prompt: grouped(it.prompt_tokens),
        completion: grouped(it.completion_tokens),
        exchanges: grouped(it.exchanges),
    }
}

/// One bar a day, as high as its money; of tokens where nothing cost any. Days without a row are gaps.
fn bars(days: &[(String, UsageTotals)], first: Timestamp, count: u64) -> Vec<Bar> {
    let first = first.millis() / DAY_MS;
    let money = days.iter().any(|(_, it)| it.cost.0 > 0);
    let of = |it: &UsageTotals| if money { weight(it).0 } else { weight(it).1 };
    let most = days.iter().map(|(_, it)| of(it)).max().unwrap_or(0).max(1);
    let bar = |(number, it): &(String, UsageTotals)| {
        let at = number.parse::<u64>().ok()?.checked_sub(first)?;
        let height = (u128::from(of(it)) * u128::from(HEIGHT)).div_ceil(u128::from(most));
        let height = u64::try_from(height).unwrap_or(HEIGHT);
        (at < count && height > 0).then(|| Bar {
            x: at * 10 + 1,
            y: HEIGHT - height,
            height,
            title: format!(
                "{}: ${}, {} tokens",
                called(By::Day, number),
                it.cost,
                grouped(weight(it).1)
            ),
        })
    };
    days.iter().filter_map(bar).collect()
}

/// The same as a file for a spreadsheet.
pub(crate) async fn file(
    _: Caller,
    State(site): State<Arc<Site>>,
    Query(wanted): Query<Wanted>,
) -> Response {
    let (first, now) = range(site.now(), wanted.span);
    let (word, _, spending) = wanted.by.row();
    let rows = site
        .app
        .store
        .spending_by_day(spending, first, now, FILE_ROWS);
    let rows = match rows.await {
        Ok(rows) => rows,
        Err(error) => return unreadable(&error),
    };
    let mut text = csv::line(&[
        word,
        "usd",
        "exchanges_of_unknown_price",
        "prompt_tokens",
        "completion_tokens",
        "exchanges",
        "estimated",
    ]);
    for (name, it) in &rows {
        text.push_str(&csv::line(&[
            &called(wanted.by, name),
            &it.cost.to_string(),
            &it.unknown_price.to_string(),
            &it.prompt_tokens.to_string(),
            &it.completion_tokens.to_string(),
            &it.exchanges.to_string(),
            &it.estimated.to_string(),
        ]));
    }
    let name = format!(
        "attachment; filename=\"spend-by-{word}-{}-{}.csv\"",
        day(first),
        day(now)
    );
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, name),
    ];
    (headers, text).into_response()
}

fn unreadable(error: &StoreError) -> Response {
    tracing::warn!(%error, source = ?std::error::Error::source(error), "Spending cannot be read.");
    let text = "The database does not answer. A cut needs none: `portcullis cut` works.";
    refusal(StatusCode::SERVICE_UNAVAILABLE, text)
}

/// The budgets alone, for a page that follows along.
pub(crate) fn parts(snapshot: &net_model::Snapshot) -> Vec<(&'static str, String)> {
    vec![("budgets", drawn(&Budgets::of(snapshot)))]
}

#[cfg(test)]
mod tests {
    use super::*;
    use net_model::MicroDollars;

    #[test]
    fn each_day_has_its_place_and_one_without_a_row_is_a_gap() {
        let day = |number: u64, cost| {
            let totals = UsageTotals {
                cost: MicroDollars(cost),
                ..UsageTotals::default()
            };
            (number.to_string(), totals)
        };
        let first = Timestamp::from_millis(100 * DAY_MS);
        let seen = bars(
            &[day(99, 5), day(100, 4), day(103, 1), day(107, 9)],
            first,
            7,
        );
        let places: Vec<(u64, u64)> = seen.iter().map(|bar| (bar.x, bar.height)).collect();
        assert_eq!(places, [(1, 36), (31, 9)]);
        assert_eq!(called(By::Day, "20000"), "2024-10-04");
    }

    #[test]
    fn a_span_is_whole_days_with_today() {
        let now = Timestamp::from_millis(20 * DAY_MS + 5);
        assert_eq!(range(now, Span::Today).0.millis(), 20 * DAY_MS);
        assert_eq!(range(now, Span::Week).0.millis(), 14 * DAY_MS);
    }
}
