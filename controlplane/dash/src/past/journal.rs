//! The journal: read page by page, checked whole, taken away as it lies on disk.

use super::{Before, check, read, said};
use crate::answer::{html, refusal};
use crate::caller::Caller;
use crate::frame::Frame;
use crate::page::plain;
use crate::site::Site;
use crate::view::{Outcome, counted};
use askama::Template;
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream::unfold;
use std::fs::File;
use std::io::Read;
use std::sync::Arc;

/// Entries on a page.
const ROWS: u64 = 100;
/// Bytes that are read at once for the export.
const PIECE: u64 = 128 * 1024;

#[derive(Debug, Template)]
#[template(path = "past/journal.html")]
struct Page {
    frame: Frame,
    rows: Vec<said::Step>,
    all: u64,
    next: Option<u64>,
    first: bool,
    problem: Option<String>,
    outcome: Option<Outcome>,
}

pub(crate) async fn journal(
    caller: Caller,
    State(site): State<Arc<Site>>,
    Query(which): Query<Before>,
) -> Response {
    draw(&site, &caller, which, None).await
}

async fn draw(
    site: &Arc<Site>,
    caller: &Caller,
    which: Before,
    outcome: Option<Outcome>,
) -> Response {
    let before = which.before;
    let found = read(site, move |file| {
        file.chronicle.lines(&file.path, before, ROWS)
    });
    let (page, problem) = match found.await {
        Ok(page) => (page, None),
        Err(why) => (Default::default(), Some(why)),
    };
    let page = Page {
        frame: Frame::of(site, caller, "/journal"),
        rows: page.rows.iter().filter_map(said::step).collect(),
        all: page.all,
        next: page.next,
        first: before.is_none(),
        problem,
        outcome,
    };
    html(StatusCode::OK, &page)
}

pub(crate) async fn verify(
    caller: Caller,
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
) -> Response {
    let Some(checked) = check(&site).await else {
        let text = "The journal is being checked already; ask again in a moment.";
        return refusal(StatusCode::SERVICE_UNAVAILABLE, text);
    };
    let outcome = match checked {
        Ok(good) => {
            let torn = (good.torn_bytes > 0).then(|| {
                format!(
                    "The last line is unfinished ({} bytes): it was being written and never acknowledged.",
                    good.torn_bytes
                )
            });
            let entries = counted(good.entries, "entry", "entries");
            let lines = [format!("{entries}, last hash {}.", good.last_hash)];
            Outcome::good("Every hash fits", lines.into_iter().chain(torn).collect())
        }
        Err(why) => Outcome::refused("The chain does not hold", why),
    };
    if plain(&headers) {
        draw(&site, &caller, Before::default(), Some(outcome)).await
    } else {
        html(StatusCode::OK, &outcome)
    }
}

/// The file as it lies there, up to where it ends now, piece by piece.
pub(crate) async fn export(_: Caller, State(site): State<Arc<Site>>) -> Response {
    let opened = read(&site, |file| {
        let file = File::open(&file.path)?;
        let length = file.metadata()?.len();
        Ok((file, length))
    });
    let (file, length) = match opened.await {
        Ok(opened) => opened,
        Err(why) => return refusal(StatusCode::SERVICE_UNAVAILABLE, &why),
    };
    let pieces = unfold(Some((file, length)), |rest| async move {
        let (file, left) = rest.filter(|(_, left)| *left > 0)?;
        let read = tokio::task::spawn_blocking(move || {
            let mut file = file;
            let mut piece = Vec::new();
            let read = (&mut file).take(PIECE.min(left)).read_to_end(&mut piece);
            read.map(|_| (file, piece))
        });
        match read.await {
            Ok(Ok((file, piece))) => {
                // Shorter than it was: what is left of it is all there is.
                let left = if piece.is_empty() {
                    0
                } else {
                    left.saturating_sub(piece.len() as u64)
                };
                Some((Ok(Bytes::from(piece)), Some((file, left))))
            }
            // Breaks the answer off, so that nobody takes a part for the whole.
            Ok(Err(why)) => Some((Err(why), None)),
            Err(why) => Some((Err(why.into()), None)),
        }
    });
    let headers = [
        (header::CONTENT_TYPE, "application/jsonl; charset=utf-8"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"portcullis-journal.jsonl\"",
        ),
    ];
    (headers, Body::from_stream(pieces)).into_response()
}
