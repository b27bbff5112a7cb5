//! What the forms do, for programs: cut, restore with a code, drill, check in.

use crate::act::{LIMIT, LONGEST_CODE, LONGEST_WHY, beside};
use crate::answer::problem;
use crate::caller::Caller;
use crate::lever::ask;
use crate::record::Change;
use crate::site::Site;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use kill_wire::{ErrorCode, LeverError, LeverReply, LeverRequest, Scope};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cut {
    scope: String,
    #[serde(default)]
    why: String,
}

pub(crate) async fn cut(
    caller: Caller,
    State(site): State<Arc<Site>>,
    Json(cut): Json<Cut>,
) -> Response {
    let scope = match scope(&cut.scope) {
        Ok(scope) => scope,
        Err(refused) => return *refused,
    };
    let subject = scope.to_string();
    let why = cut.why.trim().chars().filter(|c| !c.is_control());
    let request = LeverRequest::Cut {
        scope,
        by: caller.by(),
        why: caller.because(&why.take(LONGEST_WHY).collect::<String>()),
    };
    match beside(&site, &caller, "cut", &subject, request).await {
        Ok(LeverReply::Cut(report)) => Json(report).into_response(),
        other => not_done(other),
    }
}

/// No `Debug`: it holds a code.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Restore {
    scope: String,
    code: String,
}

pub(crate) async fn restore(
    caller: Caller,
    State(site): State<Arc<Site>>,
    Json(restore): Json<Restore>,
) -> Response {
    let scope = match scope(&restore.scope) {
        Ok(scope) => scope,
        Err(refused) => return *refused,
    };
    let code: String = restore.code.trim().chars().take(LONGEST_CODE + 1).collect();
    if code.is_empty() || code.chars().count() > LONGEST_CODE {
        return invalid("code", "it takes a RESTORE code, 1 to 40 characters");
    }
    if let Err(refused) = written(&site, &caller, "restore", &scope.to_string()).await {
        return refused;
    }
    let by = caller.by();
    match ask(&site, LeverRequest::Restore { scope, code, by }, LIMIT).await {
        Ok(LeverReply::Restored {
            scope,
            incident,
            remaining,
            text,
        }) => {
            let done = json!({
                "scope": scope, "incident": incident, "remaining": remaining, "text": text,
            });
            Json(done).into_response()
        }
        Ok(LeverReply::Held { text }) => {
            (StatusCode::ACCEPTED, Json(json!({ "text": text }))).into_response()
        }
        other => not_done(other),
    }
}

pub(crate) async fn drill(caller: Caller, State(site): State<Arc<Site>>) -> Response {
    if let Err(refused) = written(&site, &caller, "drill", "").await {
        return refused;
    }
    let request = LeverRequest::Drill { by: caller.by() };
    match ask(&site, request, LIMIT).await {
        Ok(LeverReply::Drilled { drill }) => Json(drill).into_response(),
        other => not_done(other),
    }
}

pub(crate) async fn check_in(caller: Caller, State(site): State<Arc<Site>>) -> Response {
    let request = LeverRequest::CheckIn { by: caller.by() };
    match beside(&site, &caller, "check_in", "", request).await {
        Ok(LeverReply::CheckedIn { check_in }) => {
            Json(json!({ "check_in": check_in })).into_response()
        }
        other => not_done(other),
    }
}

/// Writes down first who asks.
async fn written(
    site: &Site,
    caller: &Caller,
    what: &'static str,
    subject: &str,
) -> Result<(), Response> {
    let detail = "";
    let change = Change {
        what,
        subject,
        detail,
    };
    let kept = site.record(caller, &change).await;
    kept.map_err(|refused| refused.problem())
}

fn scope(text: &str) -> Result<Scope, Box<Response>> {
    let scope = text.trim().parse();
    scope.map_err(|error: kill_wire::NotAScope| invalid("scope", &error.to_string()).into())
}

fn invalid(member: &str, why: &str) -> Response {
    let detail = format!("`{member}`: {why}");
    problem(StatusCode::UNPROCESSABLE_ENTITY, "invalid", &detail)
}

fn not_done(answer: Result<LeverReply, LeverError>) -> Response {
    let Err(error) = answer else {
        let detail = "The kill switch answered something that was not asked for; look at the state before you go on.";
        return problem(StatusCode::BAD_GATEWAY, "unexpected", detail);
    };
    let (status, code) = match error.code {
        ErrorCode::BadRequest => (StatusCode::BAD_REQUEST, "bad_request"),
        ErrorCode::BadCode => (StatusCode::FORBIDDEN, "bad_code"),
        ErrorCode::NotCut => (StatusCode::CONFLICT, "not_cut"),
        ErrorCode::Locked => (StatusCode::LOCKED, "locked"),
        ErrorCode::NotRecorded => (StatusCode::INSUFFICIENT_STORAGE, "not_recorded"),
        ErrorCode::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
    };
    problem(status, code, &error.message)
}
