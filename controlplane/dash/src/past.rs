//! What was cut, and everything that was written down: incidents, each with its story, and the journal.

pub(crate) mod api;
mod changes;
mod journal;
mod said;
mod story;

pub(crate) use changes::{
    changes, changes_json, export_changes, verify_changes, verify_changes_json,
};
pub(crate) use journal::{export, journal, verify};

use crate::answer::{html, refusal};
use crate::caller::Caller;
use crate::chronicle::{Entry, IncidentPage, JournalFile, JournalHolds};
use crate::frame::Frame;
use crate::lever::ask;
use crate::site::Site;
use crate::view::{IncidentRow, When, incident_row};
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use kill_wire::{IncidentRecord, LeverReply, LeverRequest};
use serde::Deserialize;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// Rows on a page.
const ROWS: usize = 50;
/// How long the kill switch may take to list incidents.
const LIMIT: Duration = Duration::from_secs(2);

/// Which page of a list.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Before {
    before: Option<u64>,
}

#[derive(Debug, Template)]
#[template(path = "past/incidents.html")]
struct Incidents {
    frame: Frame,
    rows: Vec<IncidentRow>,
    all: usize,
    next: Option<u32>,
    first: bool,
    /// Why the list may be short.
    problem: Option<String>,
    /// The newest drill.
    drill: Option<Drill>,
}

#[derive(Debug)]
struct Drill {
    at: When,
    by: String,
    tone: &'static str,
    figures: String,
    failed: Vec<String>,
}

pub(crate) async fn incidents(
    caller: Caller,
    State(site): State<Arc<Site>>,
    Query(which): Query<Before>,
) -> Response {
    let before = which.before.and_then(|n| u32::try_from(n).ok());
    let (page, problem) = match read(&site, move |file| {
        file.chronicle.incidents(&file.path, before, ROWS)
    })
    .await
    {
        Ok(page) => (page, None),
        Err(why) => {
            let known = newest(&site, before, ROWS).await;
            (known.unwrap_or_default(), Some(why))
        }
    };
    let snapshot = site.snapshot();
    let state = snapshot.killswitch.as_ref().ok();
    let drill = state.and_then(|state| state.drill.as_ref());
    let page = Incidents {
        frame: Frame::of(&site, &caller, "/incidents"),
        rows: page.rows.iter().map(incident_row).collect(),
        all: page.all,
        next: page.next,
        first: before.is_none(),
        problem,
        drill: drill.map(said::drill),
    };
    html(StatusCode::OK, &page)
}

/// The kill switch has no more at hand, the newest.
const AT_HAND: u32 = 500;

/// What the kill switch itself has at hand, of which the file may not know yet, or cannot be read from here. Blocks nothing; says
/// why where it cannot be asked.
async fn newest(site: &Site, before: Option<u32>, rows: usize) -> Result<IncidentPage, String> {
    let limit = AT_HAND;
    let incidents = match ask(site, LeverRequest::Incidents { limit }, LIMIT).await {
        Ok(LeverReply::Incidents { incidents }) => incidents,
        Ok(_) => {
            return Err("the kill switch answered something that was not asked for".to_owned());
        }
        Err(error) => return Err(error.message),
    };
    let all = incidents.len();
    let before = before.unwrap_or(u32::MAX);
    let older = incidents
        .into_iter()
        .filter(|it| it.incident.get() < before);
    let mut found: Vec<_> = older.take(rows.saturating_add(1)).collect();
    // Behind the last that is at hand there may be others, in the file.
    let more = found.len() > rows || all >= limit as usize;
    found.truncate(rows);
    let last = found.last().map(|row| row.incident.get());
    Ok(IncidentPage {
        next: last.filter(|_| more),
        rows: found,
        all,
    })
}

/// Reads the journal on a thread of its own, or says why it cannot.
async fn read<T: Send + 'static>(
    site: &Arc<Site>,
    how: impl FnOnce(&JournalFile) -> io::Result<T> + Send + 'static,
) -> Result<T, String> {
    let file = site.app.journal.clone();
    let done = tokio::task::spawn_blocking(move || how(&file));
    match done.await {
        Ok(Ok(read)) => Ok(read),
        Ok(Err(why)) => {
            let path = site.app.journal.path.display();
            Err(format!("The journal {path} cannot be read here: {why}."))
        }
        Err(why) => Err(format!("Reading the journal broke off: {why}.")),
    }
}

/// Checks the journal's whole chain: none while somebody else has it checked.
async fn check(site: &Site) -> Option<Result<JournalHolds, String>> {
    let place = Arc::clone(&site.verifying).try_acquire_owned().ok()?;
    let file = site.app.journal.clone();
    let checked = tokio::task::spawn_blocking(move || {
        let _place = place;
        (file.verify)(&file.path)
    });
    let broke = |why: tokio::task::JoinError| Err(format!("the check broke off: {why}"));
    Some(checked.await.unwrap_or_else(broke))
}

/// Why an incident cannot be shown.
enum Missing {
    Unknown,
    Unreadable(String),
}

/// One incident with its entries; without them where only the kill switch itself knows of it.
async fn find(site: &Arc<Site>, number: &str) -> Result<(IncidentRecord, Vec<Entry>), Missing> {
    let number: u32 = number.parse().map_err(|_| Missing::Unknown)?;
    let found = read(site, move |file| {
        file.chronicle.incident(&file.path, number)
    });
    let why = match found.await {
        Ok(found) => return found.ok_or(Missing::Unknown),
        Err(why) => why,
    };
    let known = newest(site, None, AT_HAND as usize).await;
    let mut rows = known.unwrap_or_default().rows.into_iter();
    let record = rows.find(|row| row.incident.get() == number);
    record.map_or(Err(Missing::Unreadable(why)), |it| Ok((it, Vec::new())))
}

#[derive(Debug, Template)]
#[template(path = "past/incident.html")]
struct One {
    frame: Frame,
    row: IncidentRow,
    title: String,
    steps: Vec<said::Step>,
    bars: Option<story::Bars>,
}

pub(crate) async fn incident(
    caller: Caller,
    State(site): State<Arc<Site>>,
    Path(number): Path<String>,
) -> Response {
    let (record, entries) = match find(&site, &number).await {
        Ok(found) => found,
        Err(Missing::Unknown) => {
            let text = "There is no incident of that number.";
            return refusal(StatusCode::NOT_FOUND, text);
        }
        Err(Missing::Unreadable(why)) => return refusal(StatusCode::SERVICE_UNAVAILABLE, &why),
    };
    let page = One {
        frame: Frame::of(&site, &caller, "/incidents/"),
        title: format!("Incident {}: {}", record.incident, record.scope),
        steps: story::steps(&entries),
        bars: story::bars(&entries),
        row: incident_row(&record),
    };
    html(StatusCode::OK, &page)
}
