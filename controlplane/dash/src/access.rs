//! Who may use which route. The router is made from this list, so there is no route without a row.

use crate::{Site, act, api, assets, events, metrics, page, sign_in};
use axum::extract::FromRequestParts;
use axum::http::{StatusCode, request::Parts};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use axum_extra::extract::CookieJar;
use kill_wire::Timestamp;
use net_model::KeyHash;
use std::sync::Arc;
use store::StoreError;

/// Name of the session cookie.
pub(crate) const COOKIE: &str = "portcullis_session";

/// Longest token that is looked at.
const LONGEST_TOKEN: usize = 128;

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Anyone who reaches the port.
    Anyone,
    /// Whoever holds a session.
    Operator,
}

/// One row of the access table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// The method.
    pub method: &'static str,
    /// The path, with axum's placeholders.
    pub path: &'static str,
    /// Who may use it.
    pub who: Who,
}

const fn row(method: &'static str, path: &'static str, who: Who) -> Access {
    Access { method, path, who }
}

/// Every route with its row.
pub(crate) fn served() -> Vec<(Access, MethodRouter<Arc<Site>>)> {
    use Who::{Anyone, Operator};
    vec![
        (row("GET", "/", Operator), get(page::show)),
        (row("GET", "/events", Operator), get(events::listen)),
        (row("POST", "/cut", Operator), post(act::cut)),
        (row("POST", "/restore", Operator), post(act::restore)),
        (row("GET", "/sign-in", Anyone), get(sign_in::ask)),
        (row("POST", "/sign-in", Anyone), post(sign_in::enter)),
        (row("POST", "/sign-out", Operator), post(sign_in::leave)),
        (row("GET", "/api/v1/state", Operator), get(api::state)),
        (
            row("GET", "/api/v1/incidents", Operator),
            get(api::incidents),
        ),
        (row("GET", "/api/v1/usage", Operator), get(api::usage)),
        (
            row("GET", "/assets/{hash}/{name}", Anyone),
            get(assets::serve),
        ),
        (row("GET", "/healthz", Anyone), get(metrics::healthz)),
        (row("GET", "/metrics", Anyone), get(metrics::metrics)),
    ]
}

/// The access table: every route there is.
#[must_use]
pub fn access() -> Vec<Access> {
    served().into_iter().map(|(access, _)| access).collect()
}

/// Whoever holds a session. Having one is the permission: it cannot be built by hand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operator {
    token: KeyHash,
    expires: Timestamp,
}

impl Operator {
    /// What is kept of the session's token.
    pub(crate) const fn token(&self) -> KeyHash {
        self.token
    }

    /// When the session ends by itself.
    pub(crate) const fn expires(&self) -> Timestamp {
        self.expires
    }
}

/// Why a request comes without an [`Operator`].
#[derive(Debug)]
pub(crate) struct NoOperator {
    pub(crate) why: Why,
    api: bool,
}

#[derive(Debug)]
pub(crate) enum Why {
    /// No session, or one that has ended.
    NotSignedIn,
    /// The database cannot say.
    Unknown(StoreError),
}

impl FromRequestParts<Arc<Site>> for Operator {
    type Rejection = NoOperator;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, NoOperator> {
        let api = parts.uri.path().starts_with("/api/");
        let refuse = |why| NoOperator { why, api };
        let cookies = CookieJar::from_headers(&parts.headers);
        let token = cookies
            .get(COOKIE)
            .map(|cookie| cookie.value())
            .filter(|token| token.len() <= LONGEST_TOKEN)
            .map(|token| KeyHash::of(token.as_bytes()))
            .ok_or_else(|| refuse(Why::NotSignedIn))?;
        match site.app.store.find_session(token, site.now()).await {
            Ok(Some(session)) => Ok(Self {
                token,
                expires: session.expires,
            }),
            Ok(None) => Err(refuse(Why::NotSignedIn)),
            Err(error) => Err(refuse(Why::Unknown(error))),
        }
    }
}

impl IntoResponse for NoOperator {
    fn into_response(self) -> Response {
        let (status, code, text) = match self.why {
            Why::NotSignedIn => (
                StatusCode::UNAUTHORIZED,
                "not_signed_in",
                "You are not signed in, or your sign-in has ended. Run `portcullis sign-in` for a fresh link.",
            ),
            Why::Unknown(error) => {
                tracing::error!(%error, source = ?std::error::Error::source(&error), "Sign-ins cannot be checked.");
                (
                    StatusCode::SERVICE_UNAVAILABLE,
                    "unavailable",
                    "Sign-ins cannot be checked: the database does not answer. `portcullis cut` works without it.",
                )
            }
        };
        if self.api {
            api::problem(status, code, text)
        } else {
            act::refusal(status, text)
        }
    }
}
