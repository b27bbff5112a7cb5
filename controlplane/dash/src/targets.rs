//! Routes and targets: who is asked, who is left alone and why, who took whose place, how fast each answers.

mod trial;

pub(crate) use trial::{test, test_json};

use crate::answer::{html, refusal};
use crate::caller::Caller;
use crate::fleet::driven;
use crate::frame::Frame;
use crate::site::Site;
use crate::view::{Outcome, Routes, TargetChart, Targets, Trials, drawn, target_charts};
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
    trials: Trials,
    elsewhere: driven::Table,
    routes: Routes,
    charts: Vec<TargetChart>,
    fallbacks: crate::view::Feed,
    /// What a test found, when the browser runs no script.
    outcome: Option<Outcome>,
}

pub(crate) async fn show(caller: Caller, State(site): State<Arc<Site>>) -> Response {
    draw(&site, &caller, StatusCode::OK, None).await
}

async fn draw(
    site: &Site,
    caller: &Caller,
    status: StatusCode,
    outcome: Option<Outcome>,
) -> Response {
    let read = async {
        let answered = site.app.store.answered(store::hour_start(site.now()));
        Ok::<_, store::StoreError>((answered.await?, driven::elsewhere(site).await?))
    };
    let (answered, elsewhere) = match read.await {
        Ok(read) => read,
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
        frame: Frame::of(site, caller, "/targets").live("targets"),
        targets: Targets::of(&snapshot),
        trials: trial::trials(site, &snapshot, caller),
        elsewhere: driven::Table::of(&elsewhere, site.now()),
        routes: Routes::of(&snapshot),
        charts: target_charts(&answered),
        fallbacks,
        outcome,
    };
    html(status, &page)
}

/// What changes by itself.
pub(crate) fn parts(snapshot: &Snapshot) -> Vec<(&'static str, String)> {
    vec![
        ("targets", drawn(&Targets::of(snapshot))),
        ("routes", drawn(&Routes::of(snapshot))),
    ]
}
