//! The same as JSON, for a signed-in session.

use super::stretch::Back;
use super::{Failed, Job, ON_A_PAGE, SILENT_MS, Which, host as one, ring, unreadable_json};
use crate::answer::problem;
use crate::caller::Caller;
use crate::record::NotRecorded;
use crate::site::Site;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use kill_wire::Timestamp;
use net_model::{HostName, Zone};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use store::{HostLine, ZoneCount};

pub(crate) async fn hosts(State(site): State<Arc<Site>>, Query(which): Query<Which>) -> Response {
    let now = site.now();
    let Some(query) = which.query(now) else {
        return problem(
            StatusCode::BAD_REQUEST,
            "bad_filter",
            "there is no such zone, role or state",
        );
    };
    let lines = site
        .app
        .store
        .host_lines(&query, which.skip(), ON_A_PAGE + 1);
    match lines.await {
        Ok(lines) => {
            let more = lines.len() > ON_A_PAGE as usize;
            let hosts = lines.iter().take(ON_A_PAGE as usize);
            let hosts: Vec<Value> = hosts.map(|line| shown(line, now)).collect();
            Json(json!({ "hosts": hosts, "more": more })).into_response()
        }
        Err(error) => unreadable_json(&error),
    }
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
            Json(json!({ "zones": zones })).into_response()
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
    limit: Option<u32>,
}

pub(crate) async fn alerts(State(site): State<Arc<Site>>, Query(asked): Query<Asked>) -> Response {
    let limit = asked.limit.unwrap_or(100).clamp(1, 500);
    match site.app.store.alerts(asked.host.as_ref(), limit).await {
        Ok(alerts) => Json(json!({ "alerts": alerts })).into_response(),
        Err(error) => unreadable_json(&error),
    }
}

pub(crate) async fn jobs(State(site): State<Arc<Site>>) -> Response {
    Json(json!({ "jobs": site.app.jobs.all() })).into_response()
}

/// Has a job run out of its time.
pub(crate) async fn run_job(
    caller: Caller,
    State(site): State<Arc<Site>>,
    job: Result<Json<Job>, JsonRejection>,
) -> Response {
    let job = match job {
        Ok(Json(job)) => job,
        Err(why) => {
            return problem(
                StatusCode::UNPROCESSABLE_ENTITY,
                "bad_request",
                &why.body_text(),
            );
        }
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
