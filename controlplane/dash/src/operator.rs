//! Who holds a session, and what is said to whoever does not.

use crate::answer;
use crate::site::Site;
use axum::extract::FromRequestParts;
use axum::http::{StatusCode, request::Parts};
use axum::response::{IntoResponse, Response};
use axum_extra::extract::CookieJar;
use kill_wire::Timestamp;
use net_model::KeyHash;
use std::sync::Arc;
use store::StoreError;

/// Name of the session cookie.
pub(crate) const COOKIE: &str = "portcullis_session";

/// Longest token that is looked at.
const LONGEST_TOKEN: usize = 128;

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
            answer::problem(status, code, text)
        } else {
            answer::refusal(status, text)
        }
    }
}
