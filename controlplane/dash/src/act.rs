//! The forms: cut with a typed confirmation, restore with a RESTORE code, a drill, a check-in. All go through the lever,
//! as the CLI's do; the kill switch decides. A cut and a check-in are written down beside, whatever else before.

use crate::answer::html;
use crate::caller::Caller;
use crate::lever::ask;
use crate::page::{after, plain};
use crate::record::{Change, NotRecorded};
use crate::site::Site;
use crate::view::{self, Outcome};
use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use kill_wire::{ErrorCode, LeverError, LeverReply, LeverRequest, Scope};
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;

/// How long a cut with its proof, a restore or a drill may take.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

/// Longest reason in characters.
pub(crate) const LONGEST_WHY: usize = 200;

/// Longest code in characters: 8 digits, with room for separators.
pub(crate) const LONGEST_CODE: usize = 40;

#[derive(Deserialize)]
pub(crate) struct CutForm {
    scope: String,
    confirm: String,
    #[serde(default)]
    why: String,
}

pub(crate) async fn cut(
    caller: Caller,
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    Form(form): Form<CutForm>,
) -> Response {
    let (status, outcome) = match wanted(&form, &caller) {
        Ok(request) => match beside(&site, &caller, "cut", &form.scope, request).await {
            Ok(LeverReply::Cut(report)) => (StatusCode::OK, view::cut_outcome(&report)),
            Ok(_) => unexpected(),
            Err(error) => failed("The cut is not confirmed", error),
        },
        Err(outcome) => (StatusCode::UNPROCESSABLE_ENTITY, outcome),
    };
    answer(&site, &caller, &headers, status, outcome).await
}

fn wanted(form: &CutForm, caller: &Caller) -> Result<LeverRequest, Outcome> {
    const NOT_CUT: &str = "Nothing was cut";
    let scope: Scope = form
        .scope
        .trim()
        .parse()
        .map_err(|error: kill_wire::NotAScope| Outcome::refused(NOT_CUT, error.to_string()))?;
    let typed = form.confirm.trim();
    if !typed.eq_ignore_ascii_case(&scope.to_string()) {
        let line = format!("To confirm, type the name of the scope: {scope}.");
        return Err(Outcome::refused(NOT_CUT, line));
    }
    let why = form.why.trim().chars().filter(|c| !c.is_control());
    Ok(LeverRequest::Cut {
        scope,
        by: caller.by(),
        why: caller.because(&why.take(LONGEST_WHY).collect::<String>()),
    })
}

/// No `Debug`: it holds a code.
#[derive(Deserialize)]
pub(crate) struct RestoreForm {
    scope: String,
    code: String,
}

pub(crate) async fn restore(
    caller: Caller,
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    Form(form): Form<RestoreForm>,
) -> Response {
    const NOT_RESTORED: &str = "Nothing was restored";
    let code: String = form.code.trim().chars().take(LONGEST_CODE + 1).collect();
    let (status, outcome) = match form.scope.trim().parse::<Scope>() {
        Err(error) => bad_request(NOT_RESTORED, error.to_string()),
        Ok(_) if code.is_empty() => bad_request(NOT_RESTORED, "Type the RESTORE code."),
        Ok(_) if code.chars().count() > LONGEST_CODE => {
            bad_request(NOT_RESTORED, "That is too long for a code.")
        }
        Ok(scope) => {
            let by = caller.by();
            if let Err(refused) = written(&site, &caller, "restore", &scope.to_string()).await {
                return answer(&site, &caller, &headers, refused.0, refused.1).await;
            }
            let request = LeverRequest::Restore { scope, code, by };
            match ask(&site, request, LIMIT).await {
                Ok(LeverReply::Restored {
                    scope,
                    incident,
                    remaining,
                    text,
                }) => {
                    let outcome = view::restore_outcome(&scope, incident, &remaining, text);
                    (StatusCode::OK, outcome)
                }
                Ok(LeverReply::Held { text }) => (StatusCode::ACCEPTED, view::held_outcome(text)),
                Ok(_) => unexpected(),
                Err(error) => failed(NOT_RESTORED, error),
            }
        }
    };
    answer(&site, &caller, &headers, status, outcome).await
}

pub(crate) async fn drill(
    caller: Caller,
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
) -> Response {
    if let Err(refused) = written(&site, &caller, "drill", "").await {
        return answer(&site, &caller, &headers, refused.0, refused.1).await;
    }
    let request = LeverRequest::Drill { by: caller.by() };
    let (status, outcome) = match ask(&site, request, LIMIT).await {
        Ok(LeverReply::Drilled { drill }) => (StatusCode::OK, view::drill_outcome(&drill)),
        Ok(_) => unexpected(),
        Err(error) => failed("No drill was held", error),
    };
    answer(&site, &caller, &headers, status, outcome).await
}

pub(crate) async fn check_in(
    caller: Caller,
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
) -> Response {
    let request = LeverRequest::CheckIn { by: caller.by() };
    let (status, outcome) = match beside(&site, &caller, "check_in", "", request).await {
        Ok(LeverReply::CheckedIn { check_in }) => {
            (StatusCode::OK, view::check_in_outcome(check_in.as_ref()))
        }
        Ok(_) => unexpected(),
        Err(error) => failed("Nobody is checked in", error),
    };
    answer(&site, &caller, &headers, status, outcome).await
}

/// Asks at once, and writes down meanwhile who asked; that it cannot be written down holds up nothing.
pub(crate) async fn beside(
    site: &Site,
    caller: &Caller,
    what: &'static str,
    subject: &str,
    request: LeverRequest,
) -> Result<LeverReply, LeverError> {
    let change = Change {
        what,
        subject: subject.trim(),
        detail: "",
    };
    let (reply, _) = tokio::join!(ask(site, request, LIMIT), site.record(caller, &change));
    reply
}

/// Writes down first who asks.
async fn written(
    site: &Site,
    caller: &Caller,
    what: &'static str,
    subject: &str,
) -> Result<(), (StatusCode, Outcome)> {
    let change = Change {
        what,
        subject,
        detail: "",
    };
    let kept = site.record(caller, &change).await;
    kept.map_err(|NotRecorded| {
        let outcome = Outcome::refused("Nothing was done", NotRecorded::TEXT);
        (StatusCode::SERVICE_UNAVAILABLE, outcome)
    })
}

/// The part alone for htmx, the whole page for a browser that runs no script.
async fn answer(
    site: &Site,
    caller: &Caller,
    headers: &HeaderMap,
    status: StatusCode,
    outcome: Outcome,
) -> Response {
    if plain(headers) {
        after(site, caller, status, outcome).await
    } else {
        html(status, &outcome)
    }
}

fn bad_request(title: &str, line: impl Into<String>) -> (StatusCode, Outcome) {
    (
        StatusCode::UNPROCESSABLE_ENTITY,
        Outcome::refused(title, line),
    )
}

fn unexpected() -> (StatusCode, Outcome) {
    let line = "The kill switch answered something that was not asked for. Look at the state above before you go on.";
    (StatusCode::BAD_GATEWAY, Outcome::refused("Unclear", line))
}

fn failed(title: &str, error: LeverError) -> (StatusCode, Outcome) {
    let (status, title) = match error.code {
        ErrorCode::BadRequest => (StatusCode::BAD_REQUEST, title),
        ErrorCode::BadCode => (StatusCode::FORBIDDEN, title),
        ErrorCode::NotCut => (StatusCode::CONFLICT, title),
        ErrorCode::Locked => (StatusCode::LOCKED, title),
        ErrorCode::NotRecorded => (StatusCode::INSUFFICIENT_STORAGE, title),
        ErrorCode::Unavailable => (
            StatusCode::SERVICE_UNAVAILABLE,
            "No answer from the kill switch",
        ),
    };
    (status, Outcome::refused(title, error.message))
}
