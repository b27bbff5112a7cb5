//! The pages of the house's hosts: by zone, each with its history, what is wrong, what runs by the clock.
//!
//! What a host says is text of a stranger: every template escapes it, and no word of it is a link.

pub(crate) mod api;
pub(crate) mod driven;
pub(crate) mod guests;
mod host;
mod hosts;
mod lists;
mod mesh;
mod said;
mod spark;
mod stretch;

use crate::answer::{html, problem, refusal};
use crate::caller::Caller;
use crate::frame::Frame;
use crate::record::Change;
use crate::site::Site;
use axum::extract::{Form, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use kill_wire::Timestamp;
use net_model::{HostName, HostRole, ZoneName};
use serde::Deserialize;
use std::sync::Arc;
use store::{HostHealth, HostQuery, StoreError};
use stretch::Back;

/// Hosts on one page.
pub(crate) const ON_A_PAGE: u32 = 100;
/// Alerts on one page.
const ALERTS: u32 = 100;
/// A host that was heard of longer ago is silent.
pub(crate) const SILENT_MS: u64 = 60_000;

/// Which of many.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Which {
    #[serde(default)]
    zone: String,
    #[serde(default)]
    role: String,
    #[serde(default)]
    health: String,
    /// Part of a name.
    #[serde(default)]
    q: String,
    page: Option<u32>,
}

impl Which {
    /// None when it names a zone, a role or a state there cannot be.
    fn query(&self, now: Timestamp) -> Option<HostQuery> {
        let zone = match self.zone.as_str() {
            "" => None,
            name => Some(name.parse::<ZoneName>().ok()?),
        };
        let role = match self.role.as_str() {
            "" => None,
            name => Some(name.parse::<HostRole>().ok()?),
        };
        let health = match self.health.as_str() {
            "" => None,
            word => Some(HostHealth::ALL.into_iter().find(|it| it.as_str() == word)?),
        };
        let name: String = self.q.trim().chars().take(64).collect();
        Some(HostQuery {
            zone,
            role,
            health,
            name: (!name.is_empty()).then(|| name.to_lowercase()),
            heard_since: Timestamp::from_millis(now.millis().saturating_sub(SILENT_MS)),
            after: None,
        })
    }

    fn skip(&self) -> u32 {
        self.page.unwrap_or_default().min(10_000) * ON_A_PAGE
    }
}

pub(crate) async fn hosts(
    caller: Caller,
    State(site): State<Arc<Site>>,
    Query(which): Query<Which>,
) -> Response {
    let now = site.now();
    let Some(query) = which.query(now) else {
        return refusal(
            StatusCode::BAD_REQUEST,
            "There is no such zone, role or state.",
        );
    };
    let read = async {
        let store = &site.app.store;
        let counts = store.zone_counts(query.heard_since).await?;
        let lines = store.host_lines(&query, which.skip(), ON_A_PAGE + 1);
        Ok((counts, lines.await?))
    };
    match read.await {
        Ok((counts, lines)) => {
            let zones = site.app.inventory.zones();
            let frame = Frame::of(&site, &caller, "/hosts");
            let page = hosts::page(frame, &zones, counts, lines, &which, now);
            html(StatusCode::OK, &page)
        }
        Err(error) => unreadable(&error),
    }
}

pub(crate) async fn host(
    caller: Caller,
    State(site): State<Arc<Site>>,
    Path(name): Path<String>,
    Query(back): Query<Back>,
) -> Response {
    let unknown = || refusal(StatusCode::NOT_FOUND, "There is no host of that name.");
    let Ok(name) = name.parse::<HostName>() else {
        return unknown();
    };
    match host::read(&site, &name, &back).await {
        Ok(Some(read)) => {
            let frame = Frame::of(&site, &caller, "/hosts/");
            let page = host::page(frame, &read, &site.app.inventory.zones(), site.now());
            html(StatusCode::OK, &page)
        }
        Ok(None) => unknown(),
        Err(error) => unreadable(&error),
    }
}

pub(crate) async fn alerts(caller: Caller, State(site): State<Arc<Site>>) -> Response {
    match site.app.store.alerts(None, None, ALERTS).await {
        Ok(alerts) => html(
            StatusCode::OK,
            &lists::alerts(Frame::of(&site, &caller, "/alerts"), &alerts),
        ),
        Err(error) => unreadable(&error),
    }
}

pub(crate) async fn jobs(caller: Caller, State(site): State<Arc<Site>>) -> Response {
    let frame = Frame::of(&site, &caller, "/jobs");
    html(
        StatusCode::OK,
        &lists::jobs(frame, &site.app.jobs, caller.role()),
    )
}

#[derive(Debug, Deserialize)]
pub(crate) struct Job {
    name: String,
}

/// Has a job run out of its time.
pub(crate) async fn run_job(
    caller: Caller,
    State(site): State<Arc<Site>>,
    Form(job): Form<Job>,
) -> Response {
    match ring(&site, &caller, &job).await {
        Ok(()) => Redirect::to("/jobs").into_response(),
        Err(Failed::NotRecorded(answer)) => answer,
        Err(Failed::NotRung(why)) => {
            refusal(StatusCode::CONFLICT, &format!("It was not run: {why}."))
        }
    }
}

/// Why a job was not run.
enum Failed {
    NotRecorded(Response),
    NotRung(tasks::NotRung),
}

async fn ring(site: &Site, caller: &Caller, job: &Job) -> Result<(), Failed> {
    if !site.app.jobs.can_run(&job.name) {
        return Err(Failed::NotRung(tasks::NotRung::Unknown));
    }
    let change = Change {
        what: "job.run",
        subject: &job.name,
        detail: "",
    };
    let written = site.record(caller, &change).await;
    written.map_err(|not| Failed::NotRecorded(not.into_response()))?;
    site.app.jobs.run_now(&job.name).map_err(Failed::NotRung)
}

pub(crate) async fn mesh(caller: Caller, State(site): State<Arc<Site>>) -> Response {
    let view = site
        .app
        .mesh
        .as_ref()
        .map(|view| Arc::clone(&view.borrow()));
    let frame = Frame::of(&site, &caller, "/mesh");
    html(StatusCode::OK, &mesh::page(frame, view.as_deref()))
}

fn unreadable(error: &StoreError) -> Response {
    tracing::warn!(%error, source = ?std::error::Error::source(error), "Hosts cannot be read.");
    let text = "The database does not answer. A cut needs none: `portcullis cut` works.";
    refusal(StatusCode::SERVICE_UNAVAILABLE, text)
}

/// The same for programs.
fn unreadable_json(error: &StoreError) -> Response {
    tracing::warn!(%error, source = ?std::error::Error::source(error), "Hosts cannot be read.");
    let status = StatusCode::SERVICE_UNAVAILABLE;
    problem(status, "unavailable", &error.to_string())
}
