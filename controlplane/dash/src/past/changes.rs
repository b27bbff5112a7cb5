//! The control plane's own record: what was changed by it, who did it, from where, by which sign-in. Each entry is held against
//! the one before as it is shown; the whole chain is followed where somebody asks for it.

use super::Before;
use crate::answer::{html, problem, refusal};
use crate::caller::Caller;
use crate::frame::Frame;
use crate::page::plain;
use crate::site::Site;
use crate::slice::{self, Slice};
use crate::view::{Outcome, When, counted};
use askama::Template;
use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream::unfold;
use serde_json::{Value, json};
use std::sync::Arc;
use store::{ChangeRow, ChangesCheck, StoreError};

/// Entries on a page.
const ROWS: u32 = 100;
/// Entries that are read at once for the export.
const PIECE: u32 = 1_000;

#[derive(Debug, Template)]
#[template(path = "past/changes.html")]
struct Page {
    frame: Frame,
    rows: Vec<Row>,
    all: String,
    next: Option<u64>,
    first: bool,
    /// The newest shown entry that does not follow.
    misfit: Option<u64>,
    outcome: Option<Outcome>,
}

#[derive(Debug)]
struct Row {
    n: u64,
    at: When,
    by: String,
    how: &'static str,
    from: String,
    what: String,
    subject: String,
    detail: String,
    hash: String,
    follows: bool,
}

pub(crate) async fn changes(
    caller: Caller,
    State(site): State<Arc<Site>>,
    Query(which): Query<Before>,
) -> Response {
    draw(&site, &caller, &which, None).await
}

async fn draw(site: &Site, caller: &Caller, which: &Before, outcome: Option<Outcome>) -> Response {
    let read = async {
        let store = &site.app.store;
        let newest = store.changes(1, None).await?;
        // One more, against which the last is held.
        let rows = store.changes(ROWS + 1, which.before).await?;
        Ok::<_, StoreError>((newest.first().map_or(0, |row| row.n), rows))
    };
    let (all, found) = match read.await {
        Ok(read) => read,
        Err(error) => return unreadable(&error),
    };
    let more = found.len() > ROWS as usize;
    let shown = found.len().min(ROWS as usize);
    let hashes = found.iter().skip(1).map(|row| row.sha256.as_str());
    let rows: Vec<Row> = found
        .iter()
        .zip(hashes.chain([""]))
        .take(shown)
        .map(|(row, before)| drawn(row, before))
        .collect();
    let page = Page {
        frame: Frame::of(site, caller, "/journal/changes"),
        all: counted(all, "entry", "entries"),
        next: rows.last().map(|row| row.n).filter(|_| more),
        first: which.before.is_none(),
        misfit: rows.iter().find(|row| !row.follows).map(|row| row.n),
        rows,
        outcome,
    };
    html(StatusCode::OK, &page)
}

fn drawn(row: &ChangeRow, before: &str) -> Row {
    let it = &row.change;
    Row {
        n: row.n,
        at: When::day(it.at),
        by: it.by.clone(),
        how: it.how.as_str(),
        from: it.from.map(|from| from.to_string()).unwrap_or_default(),
        what: it.what.clone(),
        subject: it.subject.clone(),
        detail: it.detail.clone(),
        hash: row.sha256.chars().take(12).collect(),
        follows: row.follows(before),
    }
}

/// How the whole chain was found, and the hash at its end.
async fn follow(site: &Site) -> Result<(ChangesCheck, String), StoreError> {
    let checked = site.app.store.check_changes().await?;
    let newest = site.app.store.changes(1, None).await?;
    let last = newest.into_iter().next().map(|row| row.sha256);
    Ok((checked, last.unwrap_or_default()))
}

pub(crate) async fn verify_changes(
    caller: Caller,
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
) -> Response {
    let Ok(_place) = Arc::clone(&site.verifying).try_acquire_owned() else {
        let text = "A record is being checked already; ask again in a moment.";
        return refusal(StatusCode::SERVICE_UNAVAILABLE, text);
    };
    let outcome = match follow(&site).await {
        Ok((ChangesCheck::Whole(0), _)) => {
            Outcome::good("There is nothing to check yet", Vec::new())
        }
        Ok((ChangesCheck::Whole(entries), last)) => {
            let entries = counted(entries, "entry", "entries");
            let lines = vec![
                format!("{entries}, last hash {last}."),
                "That none of the newest was taken away shows only who kept a last hash of before."
                    .to_owned(),
            ];
            Outcome::good("Every hash fits", lines)
        }
        Ok((ChangesCheck::Broken { n }, _)) => Outcome::refused(
            "The chain does not hold",
            format!("Entry {n} is missing, or does not follow from the one before it."),
        ),
        Err(error) => return unreadable(&error),
    };
    if plain(&headers) {
        draw(&site, &caller, &Before::default(), Some(outcome)).await
    } else {
        html(StatusCode::OK, &outcome)
    }
}

/// Every entry in a line, the oldest first, each with what its hash is made of.
pub(crate) async fn export_changes(_: Caller, State(site): State<Arc<Site>>) -> Response {
    let pieces = unfold(Some(0_u64), move |behind| {
        let site = Arc::clone(&site);
        async move {
            let rows = match site.app.store.changes_behind(behind?, PIECE).await {
                Ok(rows) => rows,
                // Breaks the answer off, so that nobody takes a part for the whole.
                Err(error) => return Some((Err(std::io::Error::other(error)), None)),
            };
            let last = rows.last()?.n;
            let lines: String = rows.iter().map(|row| format!("{}\n", shown(row))).collect();
            Some((Ok(Bytes::from(lines)), Some(last)))
        }
    });
    let headers = [
        (header::CONTENT_TYPE, "application/jsonl; charset=utf-8"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"portcullis-changes.jsonl\"",
        ),
    ];
    (headers, Body::from_stream(pieces)).into_response()
}

/// For programs.
fn shown(row: &ChangeRow) -> Value {
    let it = &row.change;
    json!({
        "n": row.n, "at": it.at, "by": it.by, "how": it.how.as_str(), "from": it.from, "what": it.what,
        "subject": it.subject, "detail": it.detail, "sha256": row.sha256,
    })
}

/// The newest first.
pub(crate) async fn changes_json(
    State(site): State<Arc<Site>>,
    Query(slice): Query<Slice<u64>>,
) -> Response {
    let limit = slice.limit(50);
    match site.app.store.changes(limit + 1, slice.after).await {
        Ok(rows) => {
            let last = usize::try_from(limit).unwrap_or(usize::MAX);
            let last = rows
                .get(last.saturating_sub(1))
                .map(|row| row.n.to_string());
            let items: Vec<Value> = rows.iter().map(shown).collect();
            let answer = slice::page(items, limit, |_| last.clone().unwrap_or_default());
            Json(answer).into_response()
        }
        Err(error) => unreadable_json(&error),
    }
}

pub(crate) async fn verify_changes_json(State(site): State<Arc<Site>>) -> Response {
    let Ok(_place) = Arc::clone(&site.verifying).try_acquire_owned() else {
        let text = "a record is being checked already; ask again in a moment";
        return problem(StatusCode::SERVICE_UNAVAILABLE, "busy", text);
    };
    match follow(&site).await {
        Ok((ChangesCheck::Whole(entries), last)) => {
            let told = json!({ "whole": true, "entries": entries, "last_sha256": last });
            Json(told).into_response()
        }
        Ok((ChangesCheck::Broken { n }, _)) => {
            Json(json!({ "whole": false, "broken_at": n })).into_response()
        }
        Err(error) => unreadable_json(&error),
    }
}

fn unreadable(error: &StoreError) -> Response {
    told(error);
    let text = "The database does not answer. A cut needs none: `portcullis cut` works.";
    refusal(StatusCode::SERVICE_UNAVAILABLE, text)
}

fn unreadable_json(error: &StoreError) -> Response {
    told(error);
    let status = StatusCode::SERVICE_UNAVAILABLE;
    problem(status, "unavailable", &error.to_string())
}

fn told(error: &StoreError) {
    tracing::warn!(%error, source = ?std::error::Error::source(error), "The record of changes cannot be read.");
}
