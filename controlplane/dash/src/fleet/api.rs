//! The same as JSON, for a signed-in session.

use super::stretch::Back;
use super::{Failed, Job, ON_A_PAGE, SILENT_MS, Which, host as one, ring, unreadable_json};
use crate::answer::{Sent, problem, unread};
use crate::caller::Caller;
use crate::record::NotRecorded;
use crate::site::Site;
use crate::slice::{self, Slice};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use kill_wire::Timestamp;
use net_model::{AlertView, HostName, Zone, ZoneName};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use store::{AlertMark, HostLine, ZoneCount};

/// By zone and name. `page` counts pages of a hundred, as the page's own links do; `after` is better: nothing moves where hosts
/// come and go between two pages.
pub(crate) async fn hosts(
    State(site): State<Arc<Site>>,
    Query(which): Query<Which>,
    Query(slice): Query<Slice>,
) -> Response {
    let now = site.now();
    let Some(mut query) = which.query(now) else {
        return problem(
            StatusCode::BAD_REQUEST,
            "bad_filter",
            "there is no such zone, role or state",
        );
    };
    let limit = slice.limit(ON_A_PAGE);
    if let Some(after) = &slice.after {
        query.after = behind(after);
        if query.after.is_none() {
            let text = "`after`: expected what `next` said, a zone and a host such as red/claw1";
            return problem(StatusCode::BAD_REQUEST, "bad_request", text);
        }
    }
    let store = &site.app.store;
    match store.host_lines(&query, which.skip(), limit + 1).await {
        Ok(lines) => {
            let marks: Vec<String> = lines
                .iter()
                .map(|line| format!("{}/{}", line.zone, line.name))
                .collect();
            let last = usize::try_from(limit)
                .ok()
                .and_then(|n| marks.get(n.checked_sub(1)?));
            let hosts: Vec<Value> = lines.iter().map(|line| shown(line, now)).collect();
            let answer = slice::page(hosts, limit, |_| last.cloned().unwrap_or_default());
            Json(answer).into_response()
        }
        Err(error) => unreadable_json(&error),
    }
}

/// `zone/name` as a list's `next` says it.
fn behind(after: &str) -> Option<(ZoneName, HostName)> {
    let (zone, name) = after.split_once('/')?;
    Some((zone.parse().ok()?, name.parse().ok()?))
}

/// One host: what it claims stands under `claimed`, what was seen of it under `observed`.
fn shown(line: &HostLine, now: Timestamp) -> Value {
    let silent = line
        .latest
        .as_ref()
        .is_none_or(|latest| now.since(latest.seen.at) > SILENT_MS);
    let observed = line.latest.as_ref().map(|latest| &latest.seen);
    let claimed = line.latest.as_ref().map(|latest| {
        json!({
            "at": latest.claimed_at, "up_ms": latest.up_ms, "seq": latest.seq, "boot": latest.boot,
            "version": latest.version, "gauges": latest.gauges, "posture_fail": latest.posture_fail,
            "posture_unknown": latest.posture_unknown,
        })
    });
    json!({
        "name": line.name, "zone": line.zone, "roles": line.roles.split(',').collect::<Vec<_>>(),
        "dial": line.dial, "state": line.state.as_str(), "silent": silent, "alerts": line.alerts,
        "certificate_ends": line.certificate_ends, "observed": observed, "claimed": claimed,
    })
}

pub(crate) async fn host(
    State(site): State<Arc<Site>>,
    Path(name): Path<String>,
    Query(back): Query<Back>,
) -> Response {
    let unknown = || {
        problem(
            StatusCode::NOT_FOUND,
            "no_host",
            "there is no host of that name",
        )
    };
    let Ok(name) = name.parse::<HostName>() else {
        return unknown();
    };
    match one::read(&site, &name, &back).await {
        Ok(Some(read)) => {
            let mut value = shown(&read.line, site.now());
            if let Some(fields) = value.as_object_mut() {
                let zones = site.app.inventory.zones();
                fields.insert("facts".to_owned(), json!(read.facts));
                fields.insert("compared".to_owned(), json!(read.pairs(&zones)));
                fields.insert("history".to_owned(), json!(read.history));
                let it = &read.stretch;
                let stretch = json!({ "from": it.from, "to": it.to, "step_ms": it.step.millis() });
                fields.insert("stretch".to_owned(), stretch);
                fields.insert("alerts".to_owned(), json!(read.alerts));
            }
            Json(value).into_response()
        }
        Ok(None) => unknown(),
        Err(error) => unreadable_json(&error),
    }
}

pub(crate) async fn zones(State(site): State<Arc<Site>>) -> Response {
    let since = Timestamp::from_millis(site.now().millis().saturating_sub(SILENT_MS));
    match site.app.store.zone_counts(since).await {
        Ok(counts) => {
            let zones = site.app.inventory.zones();
            let zones: Vec<Value> = zones.iter().map(|zone| of_zone(zone, &counts)).collect();
            Json(slice::whole(&zones)).into_response()
        }
        Err(error) => unreadable_json(&error),
    }
}

fn of_zone(zone: &Zone, counts: &[ZoneCount]) -> Value {
    let mut value = json!(zone);
    let count = counts.iter().find(|count| count.zone == zone.name);
    if let Some(fields) = value.as_object_mut() {
        let of = |figure: fn(&ZoneCount) -> u64| json!(count.map_or(0, figure));
        fields.insert("joined".to_owned(), of(|count| count.joined));
        fields.insert("heard".to_owned(), of(|count| count.heard));
        fields.insert("alerts".to_owned(), of(|count| count.alerts));
    }
    value
}

#[derive(Deserialize)]
pub(crate) struct Asked {
    host: Option<HostName>,
}

/// What fires first, then by age.
pub(crate) async fn alerts(
    State(site): State<Arc<Site>>,
    Query(asked): Query<Asked>,
    Query(slice): Query<Slice>,
) -> Response {
    let after = slice.after.as_deref().map(marked);
    if after == Some(None) {
        let text = "`after`: expected what `next` said, such as fires.12 or over.12";
        return problem(StatusCode::BAD_REQUEST, "bad_request", text);
    }
    let (after, limit) = (after.flatten(), slice.limit(100));
    let store = &site.app.store;
    match store.alerts(asked.host.as_ref(), after, limit + 1).await {
        Ok(alerts) => Json(slice::page(alerts, limit, mark)).into_response(),
        Err(error) => unreadable_json(&error),
    }
}

fn mark(alert: &AlertView) -> String {
    let state = if alert.ended.is_none() {
        "fires"
    } else {
        "over"
    };
    format!("{state}.{}", alert.id)
}

fn marked(text: &str) -> Option<AlertMark> {
    let (state, id) = text.split_once('.')?;
    let fires = match state {
        "fires" => true,
        "over" => false,
        _ => return None,
    };
    let id = id.parse().ok()?;
    Some(AlertMark { fires, id })
}

/// By name: all of them, in pages where somebody wants that.
pub(crate) async fn jobs(State(site): State<Arc<Site>>, Query(slice): Query<Slice>) -> Response {
    let mut jobs = site.app.jobs.all();
    jobs.sort_by(|a, b| a.name.cmp(&b.name));
    if let Some(after) = &slice.after {
        jobs.retain(|job| job.name > *after);
    }
    let limit = slice.limit(500);
    Json(slice::page(jobs, limit, |job| job.name.clone())).into_response()
}

/// Has a job run out of its time.
pub(crate) async fn run_job(
    caller: Caller,
    State(site): State<Arc<Site>>,
    job: Sent<Job>,
) -> Response {
    let job = match job {
        Ok(Json(job)) => job,
        Err(why) => return unread(&why),
    };
    match ring(&site, &caller, &job).await {
        Ok(()) => (StatusCode::ACCEPTED, Json(json!({ "rung": job.name }))).into_response(),
        Err(Failed::NotRecorded(_)) => NotRecorded.problem(),
        Err(Failed::NotRung(why)) => problem(StatusCode::CONFLICT, "not_run", &why.to_string()),
    }
}

/// `null` where the house has no mesh.
pub(crate) async fn mesh(State(site): State<Arc<Site>>) -> Response {
    let view = site
        .app
        .mesh
        .as_ref()
        .map(|view| Arc::clone(&view.borrow()));
    Json(json!({ "mesh": view.as_deref() })).into_response()
}
