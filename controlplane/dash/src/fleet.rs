//! The pages of the house's hosts: by zone, each with its history, what is wrong, what runs by the clock.
//!
//! What a host says is text of a stranger: every template escapes it, and no word of it is a link.

pub(crate) mod api;
mod host;
mod hosts;
mod lists;
mod mesh;
mod said;
mod spark;

use crate::answer::{html, problem, refusal};
use crate::caller::Caller;
use crate::frame::Frame;
use crate::site::Site;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use net_model::{HistoryStep, HostName, ZoneName};
use serde::Deserialize;
use std::sync::Arc;
use store::StoreError;

/// Hosts on one page.
pub(crate) const ON_A_PAGE: u32 = 100;
/// Alerts on one page.
const ALERTS: u32 = 200;
/// A host that was heard of longer ago is silent.
pub(crate) const SILENT_MS: u64 = 60_000;

/// Which of many.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Which {
    zone: Option<String>,
    page: Option<u32>,
}

impl Which {
    /// None when it names no zone there could be.
    fn zone(&self) -> Option<Option<ZoneName>> {
        match self.zone.as_deref() {
            None | Some("") => Some(None),
            Some(name) => name.parse().ok().map(Some),
        }
    }

    fn skip(&self) -> u32 {
        self.page.unwrap_or_default().min(10_000) * ON_A_PAGE
    }
}

/// How far back.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Back {
    span: Option<String>,
}

impl Back {
    /// The word, its length in milliseconds and how fine.
    fn span(&self) -> (&'static str, u64, HistoryStep) {
        const HOUR: u64 = 3_600_000;
        match self.span.as_deref() {
            Some("48h") => ("48h", 48 * HOUR, HistoryStep::Quarter),
            Some("30d") => ("30d", 30 * 24 * HOUR, HistoryStep::Hour),
            _ => ("2h", 2 * HOUR, HistoryStep::Minute),
        }
    }
}

pub(crate) async fn hosts(
    caller: Caller,
    State(site): State<Arc<Site>>,
    Query(which): Query<Which>,
) -> Response {
    let Some(zone) = which.zone() else {
        return refusal(StatusCode::BAD_REQUEST, "That is no name of a zone.");
    };
    let now = site.now();
    let read = async {
        let store = &site.app.store;
        let since = kill_wire::Timestamp::from_millis(now.millis().saturating_sub(SILENT_MS));
        let counts = store.zone_counts(since).await?;
        let lines = store.host_lines(zone.as_ref(), which.skip(), ON_A_PAGE + 1);
        Ok((counts, lines.await?))
    };
    match read.await {
        Ok((counts, lines)) => {
            let zones = site.app.inventory.zones();
            let frame = Frame::of(&site, &caller, "/hosts");
            let page = hosts::page(
                frame,
                &zones,
                counts,
                lines,
                zone,
                which.page.unwrap_or(0),
                now,
            );
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
    match site.app.store.alerts(None, ALERTS).await {
        Ok(alerts) => html(
            StatusCode::OK,
            &lists::alerts(Frame::of(&site, &caller, "/alerts"), &alerts),
        ),
        Err(error) => unreadable(&error),
    }
}

pub(crate) async fn jobs(caller: Caller, State(site): State<Arc<Site>>) -> Response {
    let frame = Frame::of(&site, &caller, "/jobs");
    html(StatusCode::OK, &lists::jobs(frame, &site.app.jobs.all()))
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
