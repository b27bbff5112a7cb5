//! Routes and targets: who is asked, who is left alone and why, who took whose place, how fast each answers.

use crate::answer::{html, refusal};
use crate::caller::Caller;
use crate::frame::Frame;
use crate::site::Site;
use crate::view::{Routes, TargetChart, Targets, drawn, target_charts};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use net_model::Snapshot;
use std::sync::Arc;

#[derive(Debug, Template)]
#[template(path = "targets/page.html")]
struct Page {
    frame: Frame,
    targets: Targets,
    routes: Routes,
    charts: Vec<TargetChart>,
    fallbacks: crate::view::Feed,
}

pub(crate) async fn show(caller: Caller, State(site): State<Arc<Site>>) -> Response {
    let since = store::hour_start(site.now());
    let answered = match site.app.store.answered(since).await {
        Ok(answered) => answered,
        Err(error) => {
            tracing::warn!(%error, source = ?std::error::Error::source(&error), "Answers cannot be read.");
            let text = "The database does not answer. A cut needs none: `portcullis cut` works.";
            return refusal(StatusCode::SERVICE_UNAVAILABLE, text);
        }
    };
    let snapshot = site.snapshot();
    let mut fallbacks = crate::view::Feed::of(&snapshot);
    fallbacks.rows.clear();
    let page = Page {
        frame: Frame::of(&site, &caller, "/targets").live("targets"),
        targets: Targets::of(&snapshot),
        routes: Routes::of(&snapshot),
        charts: target_charts(&answered),
        fallbacks,
    };
    html(StatusCode::OK, &page)
}

/// What changes by itself.
pub(crate) fn parts(snapshot: &Snapshot) -> Vec<(&'static str, String)> {
    vec![
        ("targets", drawn(&Targets::of(snapshot))),
        ("routes", drawn(&Routes::of(snapshot))),
    ]
}
