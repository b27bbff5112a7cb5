//! The page with nothing but the red button, which a phone can keep beside its other programs.
//!
//! Nothing here asks the database: what is shown comes from the kill switch itself, and what is pressed goes there. What the
//! worker keeps on the phone is the shell alone, in which the button is grey.

use crate::answer::html;
use crate::assets::{self, Links, links};
use crate::caller::Caller;
use crate::site::Site;
use crate::view::{CutNow, Now, Proofs};
use askama::Template;
use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// Lets the worker below `/stop/` speak for `/stop` itself.
const ALLOWED: HeaderName = HeaderName::from_static("service-worker-allowed");

#[derive(Debug, Template)]
#[template(path = "stop/page.html")]
struct Page {
    links: Links,
    script: String,
    now: Now,
    proofs: Proofs,
    cut: CutNow,
    /// The kill switch answers.
    works: bool,
    only_looks: bool,
    who: String,
}

pub(crate) async fn show(caller: Caller, State(site): State<Arc<Site>>) -> Response {
    let pulse = site.pulse().await;
    let page = Page {
        links: links(),
        script: assets::address("stop.js"),
        now: Now::of(&pulse.said),
        proofs: Proofs::of(&pulse.said),
        cut: CutNow::of(&site.snapshot()),
        works: pulse.said.is_ok(),
        only_looks: caller.role() < net_model::DashRole::Operator,
        who: caller.by(),
    };
    html(StatusCode::OK, &page)
}

#[derive(Debug, Template)]
#[template(path = "stop/offline.html")]
struct Offline {
    links: Links,
}

/// What is drawn where the house cannot be reached. It says nothing about the house, so anybody may read it.
pub(crate) async fn offline() -> Response {
    html(StatusCode::OK, &Offline { links: links() })
}

/// The worker, with the addresses of what it keeps.
pub(crate) async fn worker() -> Response {
    let links = links();
    let shell = [
        "/stop/offline",
        &links.style,
        &links.theme,
        &links.icon,
        &assets::address("icon-192.png"),
    ];
    let list = serde_json::json!(shell);
    let code = assets::text("stop-worker.js");
    let headers = [
        (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (header::CACHE_CONTROL, "no-cache"),
        (ALLOWED, "/stop"),
    ];
    (headers, format!("const SHELL = {list};\n{code}")).into_response()
}

pub(crate) async fn manifest() -> Response {
    let icon = |name: &str, sizes: &str, kind: &str, purpose: &str| serde_json::json!({ "src": assets::address(name), "sizes": sizes, "type": kind, "purpose": purpose });
    let manifest = serde_json::json!({
        "id": "/stop",
        "name": "Portcullis: stop",
        "short_name": "Stop",
        "description": "Hold the button: no AI agent of this house gets an answer until a person lets it.",
        "start_url": "/stop",
        "scope": "/stop",
        "display": "standalone",
        "orientation": "portrait",
        "background_color": "#0f1216",
        "theme_color": "#a81c14",
        "icons": [
            icon("stop.svg", "any", "image/svg+xml", "any"),
            icon("icon-192.png", "192x192", "image/png", "any"),
            icon("icon-512.png", "512x512", "image/png", "any"),
            icon("icon-512.png", "512x512", "image/png", "maskable"),
        ],
    });
    let kind = [(header::CONTENT_TYPE, "application/manifest+json")];
    (kind, manifest.to_string()).into_response()
}
