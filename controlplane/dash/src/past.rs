//! What was cut, and everything that was written down: incidents, each with its story, and the journal.

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
use crate::chronicle::{IncidentPage, JournalFile};
use crate::frame::Frame;
use crate::lever::ask;
use crate::site::Site;
use crate::view::{IncidentRow, When, incident_row};
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use kill_wire::{LeverReply, LeverRequest};
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
    let (page, problem) = match read(&site, move |site, file| {
        site.chronicle.incidents(&file.path, before, ROWS)
    })
    .await
    {
        Ok(page) => (page, None),
        Err(why) => (newest(&site, before).await, Some(why)),
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

/// What the kill switch itself has at hand, where its file cannot be read from here.
async fn newest(site: &Site, before: Option<u32>) -> IncidentPage {
    let asked = ask(site, LeverRequest::Incidents { limit: 500 }, LIMIT).await;
    let Ok(LeverReply::Incidents { incidents }) = asked else {
        return IncidentPage::default();
    };
    let all = incidents.len();
    let before = before.unwrap_or(u32::MAX);
    let older = incidents
        .into_iter()
        .filter(|it| it.incident.get() < before);
    let mut rows: Vec<_> = older.take(ROWS + 1).collect();
    let more = rows.len() > ROWS;
    rows.truncate(ROWS);
    let last = rows.last().map(|row| row.incident.get());
    IncidentPage {
        next: last.filter(|_| more),
        rows,
        all,
    }
}

/// Reads the journal on a thread of its own, or says why it cannot.
async fn read<T: Send + 'static>(
    site: &Arc<Site>,
    how: impl FnOnce(&Site, &JournalFile) -> io::Result<T> + Send + 'static,
) -> Result<T, String> {
    let on = Arc::clone(site);
    let done = tokio::task::spawn_blocking(move || how(&on, &on.app.journal));
    match done.await {
        Ok(Ok(read)) => Ok(read),
        Ok(Err(why)) => {
            let path = site.app.journal.path.display();
            Err(format!("The journal {path} cannot be read here: {why}."))
        }
        Err(why) => Err(format!("Reading the journal broke off: {why}.")),
    }
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
    let unknown = || {
        refusal(
            StatusCode::NOT_FOUND,
            "There is no incident of that number.",
        )
    };
    let Ok(number) = number.parse::<u32>() else {
        return unknown();
    };
    let found = read(&site, move |site, file| {
        site.chronicle.incident(&file.path, number)
    });
    let (record, entries) = match found.await {
        Ok(Some(found)) => found,
        Ok(None) => return unknown(),
        Err(why) => {
            let page = newest(&site, None).await;
            let known = page
                .rows
                .into_iter()
                .find(|row| row.incident.get() == number);
            match known {
                Some(record) => (record, Vec::new()),
                None => return refusal(StatusCode::SERVICE_UNAVAILABLE, &why),
            }
        }
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
