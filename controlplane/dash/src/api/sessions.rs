//! Signed-in browsers for programs. A session's id is the hash of its token: it names the session and lets nobody in.

use crate::answer::problem;
use crate::caller::Caller;
use crate::sessions::{GoesOn, finish, seen_by};
use crate::site::Site;
use crate::slice;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::sync::Arc;
use store::Session;

/// All that the caller may end; no more than a house has people are signed in.
pub(crate) async fn all(caller: Caller, State(site): State<Arc<Site>>) -> Response {
    match seen_by(&site, &caller).await {
        Ok(sessions) => {
            let items: Vec<Value> = sessions.iter().map(|it| shown(&caller, it)).collect();
            Json(slice::whole(&items)).into_response()
        }
        Err(error) => problem(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            &error.to_string(),
        ),
    }
}

/// One of them.
pub(crate) fn shown(caller: &Caller, it: &Session) -> Value {
    json!({
        "id": it.token.to_hex(), "who": it.who, "role": it.role, "how": it.how.as_str(), "from": it.from,
        "since": it.created, "expires": it.expires, "own": caller.token() == Some(it.token),
    })
}

pub(crate) async fn end(
    caller: Caller,
    State(site): State<Arc<Site>>,
    Path(id): Path<String>,
) -> Response {
    match finish(&site, &caller, &id).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(GoesOn::Unknown) => {
            let text = "there is no such session of yours";
            problem(StatusCode::NOT_FOUND, "no_such_session", text)
        }
        Err(GoesOn::Unreadable) => {
            let text = "the database does not answer, so the session goes on";
            problem(StatusCode::SERVICE_UNAVAILABLE, "unavailable", text)
        }
        Err(GoesOn::NotRecorded(refused)) => refused.problem(),
    }
}
