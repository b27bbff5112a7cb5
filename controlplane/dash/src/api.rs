//! The same figures as JSON, for a signed-in session or a token.

pub(crate) mod act;
pub(crate) mod sessions;
pub(crate) mod targets;

use crate::answer::problem;
use crate::fleet::driven::{Elsewhere, elsewhere};
use crate::site::Site;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use kill_wire::{StateReport, Timestamp};
use net_model::{FallbackView, GatewayFacts, Remark, UsageTotals};
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;

/// How long the database may take to say what hosts told.
const LIMIT: Duration = Duration::from_secs(2);

/// What cannot be read is `null`, and `problems` says why.
#[derive(Serialize)]
struct Everything<'a> {
    at: Timestamp,
    demo: bool,
    killswitch: Option<&'a StateReport>,
    gateway: Option<&'a GatewayFacts>,
    remarks: &'a [Remark],
    fallbacks: &'a [FallbackView],
    /// Gateways that hosts drive, with their targets: what the hosts claim.
    elsewhere: Option<&'a Vec<Elsewhere>>,
    problems: Vec<&'a str>,
}

pub(crate) async fn state(State(site): State<Arc<Site>>) -> Response {
    let snapshot = site.snapshot();
    // The kill switch's state is told also where the database hangs.
    let read = tokio::time::timeout(LIMIT, elsewhere(&site)).await;
    let elsewhere = match read {
        Ok(read) => read.map_err(|error| error.to_string()),
        Err(_) => Err("the database does not answer".to_owned()),
    };
    let why = [
        snapshot.killswitch.as_ref().err(),
        snapshot.gateway.as_ref().err(),
        elsewhere.as_ref().err(),
    ];
    Json(Everything {
        at: snapshot.at,
        demo: snapshot.demo,
        killswitch: snapshot.killswitch.as_ref().ok(),
        gateway: snapshot.gateway.as_ref().ok(),
        remarks: &snapshot.remarks,
        fallbacks: &snapshot.fallbacks,
        problems: why.into_iter().flatten().map(String::as_str).collect(),
        elsewhere: elsewhere.as_ref().ok(),
    })
    .into_response()
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
