//! The first page: a frame around the parts, with the two forms.

use crate::answer::html;
use crate::caller::Caller;
use crate::frame::Frame;
use crate::site::Site;
use crate::view::{Map, Outcome, Parts};
use askama::Template;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "page.html")]
struct Page {
    frame: Frame,
    parts: Parts,
    map: Map,
    /// What a form did, when the browser runs no script.
    outcome: Option<Outcome>,
    cut_scope: String,
    restore_scope: String,
}

/// Links such as `/?cut=LLM` fill a form in for a browser that runs no script.
#[derive(Default, Deserialize)]
pub(crate) struct Fill {
    #[serde(default)]
    cut: String,
    #[serde(default)]
    restore: String,
}

pub(crate) async fn show(
    caller: Caller,
    State(site): State<Arc<Site>>,
    Query(fill): Query<Fill>,
) -> Response {
    draw(&site, &caller, StatusCode::OK, fill, None).await
}

/// A browser that runs no script sent this form, and wants a whole page.
pub(crate) fn plain(headers: &HeaderMap) -> bool {
    !headers.contains_key("hx-request")
}

/// The page with what a form did.
pub(crate) async fn after(
    site: &Site,
    caller: &Caller,
    status: StatusCode,
    outcome: Outcome,
) -> Response {
    draw(site, caller, status, Fill::default(), Some(outcome)).await
}

async fn draw(
    site: &Site,
    caller: &Caller,
    status: StatusCode,
    fill: Fill,
    outcome: Option<Outcome>,
) -> Response {
    let snapshot = site.snapshot();
    let page = Page {
        frame: Frame::of(site, caller, "/").live("overview"),
        map: Map::of(&snapshot, &*site.house().await),
        parts: Parts::of(&snapshot),
        outcome,
        cut_scope: fill.cut,
        restore_scope: fill.restore,
    };
    html(status, &page)
}
