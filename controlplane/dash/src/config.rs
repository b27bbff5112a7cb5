//! The configuration, read again or checked for whoever is signed in. Whoever runs the parts does it, in one place for
//! all who ask; here the question is passed on and the answer worded.

use crate::answer::problem;
use crate::caller::Caller;
use crate::record::Change;
use crate::site::Site;
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use net_model::ReloadReport;
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// How long reading it may take.
const LIMIT: Duration = Duration::from_secs(15);

/// What problem details are about (RFC 9457).
const KIND: &str = "urn:portcullis:problem:configuration";

/// Somebody wants the configuration read.
#[derive(Debug)]
pub struct ConfigAsk {
    /// To be checked only, or taken over as well.
    pub only_check: bool,
    /// What asks, such as `file` or `API`.
    pub by: &'static str,
    /// Who is told how it went; who asks need not wait for it.
    pub reply: oneshot::Sender<ReloadReport>,
}

pub(crate) async fn reload(caller: Caller, State(site): State<Arc<Site>>) -> Response {
    let change = Change {
        what: "config.reload",
        subject: "",
        detail: "",
    };
    if let Err(refused) = site.record(&caller, &change).await {
        return refused.problem();
    }
    answer(&site, false).await
}

pub(crate) async fn check(State(site): State<Arc<Site>>) -> Response {
    answer(&site, true).await
}

async fn answer(site: &Site, only_check: bool) -> Response {
    let (reply, report) = oneshot::channel();
    let ask = ConfigAsk {
        only_check,
        by: "API",
        reply,
    };
    if site.app.config.try_send(ask).is_err() {
        let text = "the configuration cannot be read now; ask again in a moment";
        return problem(StatusCode::SERVICE_UNAVAILABLE, "unavailable", text);
    }
    match tokio::time::timeout(LIMIT, report).await {
        Ok(Ok(report)) if report.good => Json(report).into_response(),
        Ok(Ok(report)) => mistaken(&report, only_check),
        Ok(Err(_)) | Err(_) => {
            let text = "nobody said in time how reading the configuration went; look into the log";
            problem(StatusCode::SERVICE_UNAVAILABLE, "unavailable", text)
        }
    }
}

#[derive(Serialize)]
struct Details<'a> {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    detail: String,
    #[serde(flatten)]
    report: &'a ReloadReport,
}

fn mistaken(report: &ReloadReport, only_check: bool) -> Response {
    let count = report.mistakes.len();
    let noun = if count == 1 { "mistake" } else { "mistakes" };
    let what = if only_check {
        "Nothing was changed."
    } else {
        "It was not taken; what was in force stays."
    };
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    let details = Details {
        r#type: KIND,
        title: "The configuration has mistakes",
        status: status.as_u16(),
        detail: format!("{count} {noun}. {what}"),
        report,
    };
    let kind = [(header::CONTENT_TYPE, "application/problem+json")];
    (status, kind, Json(details)).into_response()
}
