//! What gateways that are not ours tell of their usage. Each has a token of its own and a path of its own; a call that it
//! tells of twice stands in the ledger once. A database that does not answer has the sender told to come again.

use crate::answer::problem;
use crate::site::Site;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest as _, FromRequestParts, Path, Request, State};
use axum::http::{StatusCode, header, request::Parts};
use axum::response::{IntoResponse, Response};
use kill_wire::Name;
use net_model::KeyHash;
use prices::Prices;
use std::sync::Arc;
use std::time::Duration;
use store::StoreError;
use tokio::sync::OwnedSemaphorePermit;
use usage_feeds::{Kind, NotUsage, Reading};

/// How long a batch may take to arrive.
const ARRIVAL: Duration = Duration::from_secs(10);
/// Longest token that is looked at.
const LONGEST_TOKEN: usize = 512;
/// Batches that are read at once; each may be as long as `usage_feeds::MAX_BYTES`.
pub(crate) const AT_ONCE: usize = 4;

/// Who may tell of usage, and what models cost.
#[derive(Clone, Debug, Default)]
pub struct Feeds {
    /// The gateways, by name.
    pub sources: Vec<Source>,
    /// What models cost in this house.
    pub prices: Prices,
}

/// A gateway that tells of its usage.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its name: the last part of the path, and its column in the ledger.
    pub name: Name,
    /// In which form it tells.
    pub kind: Kind,
    /// What is kept of its token.
    pub token: KeyHash,
}

/// A gateway that showed its token, and its place among those that are read. Having one is the permission.
pub(crate) struct Sender {
    source: Source,
    feeds: Arc<Feeds>,
    _place: OwnedSemaphorePermit,
}

impl FromRequestParts<Arc<Site>> for Sender {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, Response> {
        let asked = Path::<String>::from_request_parts(parts, site).await;
        let asked = asked.map(|Path(name)| name).unwrap_or_default();
        let shown = bearer(parts).map(|token| KeyHash::of(token.as_bytes()));
        let feeds = Arc::clone(&site.app.feeds.borrow());
        let known = |source: &&Source| source.name.as_str() == asked && Some(source.token) == shown;
        let Some(source) = feeds.sources.iter().find(known).cloned() else {
            // The same for a source that there is not: nobody learns the names.
            let text = "No usage source of this name has this token.";
            return Err(problem(StatusCode::UNAUTHORIZED, "wrong_token", text));
        };
        let Ok(place) = Arc::clone(&site.batches).try_acquire_owned() else {
            return Err(later(
                "other batches are being read; send it again in a moment",
            ));
        };
        Ok(Self {
            source,
            feeds,
            _place: place,
        })
    }
}

fn bearer(parts: &Parts) -> Option<&str> {
    let value = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    let bearer = scheme.eq_ignore_ascii_case("bearer") && token.len() <= LONGEST_TOKEN;
    bearer.then_some(token)
}

pub(crate) async fn take_in(
    sender: Sender,
    State(site): State<Arc<Site>>,
    request: Request,
) -> Response {
    let body = match tokio::time::timeout(ARRIVAL, Bytes::from_request(request, &())).await {
        Ok(Ok(body)) => body,
        Ok(Err(refused)) => return refused.into_response(),
        Err(_) => {
            let text = "the batch did not arrive in time";
            return problem(StatusCode::REQUEST_TIMEOUT, "too_slow", text);
        }
    };
    let with = Reading {
        source: &sender.source.name,
        prices: &sender.feeds.prices,
        now: site.now(),
    };
    let fed = match usage_feeds::read(sender.source.kind, &body, &with) {
        Ok(fed) => fed,
        Err(why @ NotUsage::TooMany) => {
            return problem(StatusCode::PAYLOAD_TOO_LARGE, "too_many", &why.to_string());
        }
        Err(why @ NotUsage::NotJson(_)) => {
            return problem(StatusCode::BAD_REQUEST, "not_usage", &why.to_string());
        }
    };
    let told = fed.records.len() as u64;
    match site.app.store.take_in(with.source, &fed.records).await {
        Ok(new) => Json(serde_json::json!({
            "taken": new,
            "known": told.saturating_sub(new),
            "passed_over": fed.passed_over,
        }))
        .into_response(),
        Err(error) => failed(&error),
    }
}

fn failed(error: &StoreError) -> Response {
    tracing::error!(%error, source = ?std::error::Error::source(error), "Usage of another gateway cannot be kept.");
    later("the ledger cannot be written now; send it again")
}

fn later(text: &str) -> Response {
    let again = [(header::RETRY_AFTER, "1")];
    let refused = problem(StatusCode::SERVICE_UNAVAILABLE, "unavailable", text);
    (again, refused).into_response()
}
