//! Routes and targets for programs: who is asked, who is left alone and why, how each answered over the last hour.

use crate::answer::problem;
use crate::site::Site;
use crate::slice;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use kill_wire::{ProbePoint, Scope, Standing, StateReport};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::Answered;

pub(crate) async fn all(State(site): State<Arc<Site>>) -> Response {
    let since = store::hour_start(site.now());
    let answered = match site.app.store.answered(since).await {
        Ok(answered) => answered,
        Err(error) => {
            tracing::warn!(%error, source = ?std::error::Error::source(&error), "Answers cannot be read.");
            let status = StatusCode::SERVICE_UNAVAILABLE;
            return problem(status, "unavailable", &error.to_string());
        }
    };
    let snapshot = site.snapshot();
    let gateway = match &snapshot.gateway {
        Ok(gateway) => gateway,
        Err(why) => return problem(StatusCode::SERVICE_UNAVAILABLE, "unavailable", why),
    };
    let items: Vec<Value> = gateway
        .targets
        .iter()
        .map(|target| {
            let own = answered
                .iter()
                .filter(|it| it.target == target.name.as_str());
            let minutes: Vec<Value> = own.map(minute).collect();
            slice::with(json!(target), json!({ "minutes": minutes }))
        })
        .collect();
    let routes = snapshot.killswitch.as_ref().ok().map(routes);
    let more = json!({ "since": since, "routes": routes, "fallbacks": snapshot.fallbacks });
    Json(slice::with(slice::whole(&items), more)).into_response()
}

fn minute(it: &Answered) -> Value {
    json!({
        "minute": it.minute, "exchanges": it.exchanges, "tokens": it.tokens, "first_byte_ms": it.first_byte_ms,
    })
}

/// Every way that the probes know, by route.
fn routes(state: &StateReport) -> Vec<Value> {
    let mut routes: BTreeMap<&str, Vec<&ProbePoint>> = BTreeMap::new();
    for point in &state.points {
        routes.entry(point.route.as_str()).or_default().push(point);
    }
    let told = routes.into_iter().map(|(name, points)| {
        let scope = name.parse::<Scope>().ok();
        let standing = scope.map(|scope| word(&state.latches.standing(&scope, &state.points)));
        json!({ "name": name, "standing": standing, "ways": points })
    });
    told.collect()
}

const fn word(standing: &Standing<'_>) -> &'static str {
    match standing {
        Standing::Cut(_) => "cut",
        Standing::Closed(_) => "closed",
        Standing::Partly(_) => "partly",
        Standing::Open => "open",
    }
}
