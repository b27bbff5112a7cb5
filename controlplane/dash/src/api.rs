//! The same figures as JSON, for a signed-in session or a token.

pub(crate) mod act;

use crate::answer::problem;
use crate::lever::ask;
use crate::site::Site;
use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use kill_wire::{LeverReply, LeverRequest, StateReport, Timestamp};
use net_model::{FallbackView, GatewayFacts, Remark, UsageTotals};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// How long the kill switch may take to list incidents.
const LIMIT: Duration = Duration::from_secs(2);

/// The kill switch lists no more, the newest.
const MOST_INCIDENTS: u32 = 500;

/// What cannot be read is `null`, and `problems` says why.
#[derive(Serialize)]
struct Everything<'a> {
    at: Timestamp,
    demo: bool,
    killswitch: Option<&'a StateReport>,
    gateway: Option<&'a GatewayFacts>,
    remarks: &'a [Remark],
    fallbacks: &'a [FallbackView],
    problems: Vec<&'a str>,
}

pub(crate) async fn state(State(site): State<Arc<Site>>) -> Response {
    let snapshot = site.snapshot();
    let why = [
        snapshot.killswitch.as_ref().err(),
        snapshot.gateway.as_ref().err(),
    ];
    Json(Everything {
        at: snapshot.at,
        demo: snapshot.demo,
        killswitch: snapshot.killswitch.as_ref().ok(),
        gateway: snapshot.gateway.as_ref().ok(),
        remarks: &snapshot.remarks,
        fallbacks: &snapshot.fallbacks,
        problems: why.into_iter().flatten().map(String::as_str).collect(),
    })
    .into_response()
}

#[derive(Deserialize)]
pub(crate) struct Slice {
    limit: Option<u32>,
    /// The number of the last incident of the page before.
    after: Option<u64>,
}

pub(crate) async fn incidents(
    State(site): State<Arc<Site>>,
    Query(slice): Query<Slice>,
) -> Response {
    let limit = slice.limit.unwrap_or(50).clamp(1, MOST_INCIDENTS);
    let asked = match slice.after {
        None => limit,
        Some(_) => MOST_INCIDENTS,
    };
    match ask(&site, LeverRequest::Incidents { limit: asked }, LIMIT).await {
        Ok(LeverReply::Incidents { mut incidents }) => {
            let before = slice.after.unwrap_or(u64::MAX);
            incidents.retain(|it| u64::from(it.incident.get()) < before);
            incidents.truncate(limit as usize);
            let whole = incidents.len() == limit as usize;
            let last = incidents.last().map(|it| it.incident.get().to_string());
            let next = last.filter(|_| whole);
            Json(serde_json::json!({ "items": incidents, "next": next })).into_response()
        }
        Ok(_) => {
            let text = "the kill switch answered something that was not asked for";
            problem(StatusCode::BAD_GATEWAY, "unexpected", text)
        }
        Err(error) => problem(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            &error.message,
        ),
    }
}

#[derive(Serialize)]
struct Usage {
    since: Timestamp,
    last_hour: UsageTotals,
    tokens_per_minute: Vec<u64>,
    consumers: Vec<Consumer>,
}

#[derive(Serialize)]
struct Consumer {
    name: String,
    #[serde(flatten)]
    totals: UsageTotals,
}

pub(crate) async fn usage(State(site): State<Arc<Site>>) -> Response {
    let now = site.now();
    let since = store::hour_start(now);
    let read = async {
        let store = &site.app.store;
        let consumers = store.usage_by_consumer(since).await?;
        Ok::<_, store::StoreError>(Usage {
            since,
            last_hour: store.usage_since(since).await?,
            tokens_per_minute: store.tokens_per_minute(now).await?,
            consumers: consumers
                .into_iter()
                .map(|used| Consumer {
                    name: used.consumer.to_string(),
                    totals: used.totals,
                })
                .collect(),
        })
    };
    match read.await {
        Ok(usage) => Json(usage).into_response(),
        Err(error) => {
            tracing::warn!(%error, source = ?std::error::Error::source(&error), "Usage cannot be read.");
            problem(
                StatusCode::SERVICE_UNAVAILABLE,
                "unavailable",
                &error.to_string(),
            )
        }
    }
}
