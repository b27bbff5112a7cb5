//! Incidents and the journal for programs.

use super::{Missing, check, find, newest, read, said, story};
use crate::answer::problem;
use crate::chronicle::{Entry, IncidentPage, JournalHolds};
use crate::site::Site;
use crate::slice::{self, Slice};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::sync::Arc;

/// Rows of an answer where nothing else is asked.
const USUAL: u32 = 50;

/// Newest first. The first page is what the kill switch has at hand, so that a cut stands in it as soon as it is answered; further
/// back it is the journal's file.
pub(crate) async fn incidents(
    State(site): State<Arc<Site>>,
    Query(slice): Query<Slice<u64>>,
) -> Response {
    let limit = slice.limit(USUAL);
    let rows = usize::try_from(limit).unwrap_or(usize::MAX);
    let before = slice.after.map(|n| u32::try_from(n).unwrap_or(u32::MAX));
    let found = match before {
        None => newest(&site, None, rows).await,
        Some(_) => {
            let read = read(&site, move |file| {
                file.chronicle.incidents(&file.path, before, rows)
            });
            match read.await {
                Ok(page) => Ok(page),
                Err(_) => newest(&site, before, rows).await,
            }
        }
    };
    match found {
        Ok(IncidentPage { rows, next, .. }) => {
            let next = next.map(|number| number.to_string());
            Json(json!({ "items": rows, "next": next })).into_response()
        }
        Err(why) => problem(StatusCode::SERVICE_UNAVAILABLE, "unavailable", &why),
    }
}

/// One incident with every step of it, as the journal tells it.
pub(crate) async fn incident(
    State(site): State<Arc<Site>>,
    Path(number): Path<String>,
) -> Response {
    match find(&site, &number).await {
        Ok((record, entries)) => {
            let steps: Vec<Value> = entries.iter().filter_map(step).collect();
            let took = story::bars(&entries);
            let more = json!({
                "steps": steps,
                "severed_ms": took.as_ref().map(|it| it.severed_ms),
                "proven_ms": took.as_ref().map(|it| it.proven_ms),
            });
            Json(slice::with(json!(record), more)).into_response()
        }
        Err(Missing::Unknown) => {
            let text = "there is no incident of that number";
            problem(StatusCode::NOT_FOUND, "no_such_incident", text)
        }
        Err(Missing::Unreadable(why)) => {
            problem(StatusCode::SERVICE_UNAVAILABLE, "unavailable", &why)
        }
    }
}

/// An entry as the pages tell it; none for what no page may tell.
fn step(entry: &Entry) -> Option<Value> {
    let step = said::step(entry)?;
    Some(json!({
        "n": step.n, "at": entry.at, "tone": step.tone, "what": step.what, "detail": step.detail,
        "incident": step.incident,
    }))
}

/// Newest first.
pub(crate) async fn journal(
    State(site): State<Arc<Site>>,
    Query(slice): Query<Slice<u64>>,
) -> Response {
    let (limit, before) = (slice.limit(USUAL), slice.after);
    let found = read(&site, move |file| {
        file.chronicle.lines(&file.path, before, u64::from(limit))
    });
    match found.await {
        Ok(page) => {
            let items: Vec<Value> = page.rows.iter().filter_map(step).collect();
            let next = page.next.map(|n| n.to_string());
            Json(json!({ "items": items, "next": next, "entries": page.all })).into_response()
        }
        Err(why) => problem(StatusCode::SERVICE_UNAVAILABLE, "unavailable", &why),
    }
}

/// Checks the whole chain.
pub(crate) async fn verify(State(site): State<Arc<Site>>) -> Response {
    match check(&site).await {
        None => {
            let text = "the journal is being checked already; ask again in a moment";
            problem(StatusCode::SERVICE_UNAVAILABLE, "busy", text)
        }
        Some(Ok(JournalHolds {
            entries,
            last_hash,
            torn_bytes,
        })) => Json(json!({
            "ok": true, "entries": entries, "last_hash": last_hash, "torn_bytes": torn_bytes,
        }))
        .into_response(),
        Some(Err(why)) => Json(json!({ "ok": false, "why": why })).into_response(),
    }
}
