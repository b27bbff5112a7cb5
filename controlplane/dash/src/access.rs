//! Who may use which route. The router is made from this list, so there is no route without a row.

use crate::site::Site;
use crate::{act, api, assets, config, events, feeds, fleet, metrics, page, sign_in};
use axum::extract::DefaultBodyLimit;
use axum::routing::{MethodRouter, get, post};
use std::sync::Arc;

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Anyone who reaches the port.
    Anyone,
    /// Anyone who reaches the house's own port; at the mesh's only who is let in.
    Monitor,
    /// A gateway that shows its token, and only to tell of its usage.
    Sender,
    /// Whoever holds a session, or is let in by the mesh.
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
    use Who::{Anyone, Monitor, Operator, Sender};
    vec![
        (row("GET", "/", Operator), get(page::show)),
        (row("GET", "/events", Operator), get(events::listen)),
        (row("POST", "/cut", Operator), post(act::cut)),
        (row("POST", "/restore", Operator), post(act::restore)),
        (row("POST", "/drill", Operator), post(act::drill)),
        (row("POST", "/check-in", Operator), post(act::check_in)),
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
            row("POST", "/api/v1/usage/{source}", Sender),
            post(feeds::take_in).layer(DefaultBodyLimit::max(usage_feeds::MAX_BYTES)),
        ),
        (row("GET", "/hosts", Operator), get(fleet::hosts)),
        (row("GET", "/hosts/{name}", Operator), get(fleet::host)),
        (row("GET", "/mesh", Operator), get(fleet::mesh)),
        (row("GET", "/alerts", Operator), get(fleet::alerts)),
        (row("GET", "/jobs", Operator), get(fleet::jobs)),
        (
            row("GET", "/api/v1/hosts", Operator),
            get(fleet::api::hosts),
        ),
        (
            row("GET", "/api/v1/hosts/{name}", Operator),
            get(fleet::api::host),
        ),
        (
            row("GET", "/api/v1/zones", Operator),
            get(fleet::api::zones),
        ),
        (
            row("GET", "/api/v1/alerts", Operator),
            get(fleet::api::alerts),
        ),
        (row("GET", "/api/v1/mesh", Operator), get(fleet::api::mesh)),
        (row("GET", "/api/v1/jobs", Operator), get(fleet::api::jobs)),
        (
            row("POST", "/api/v1/config/reload", Operator),
            post(config::reload),
        ),
        (
            row("POST", "/api/v1/config/check", Operator),
            post(config::check),
        ),
        (
            row("GET", "/assets/{hash}/{name}", Anyone),
            get(assets::serve),
        ),
        (row("GET", "/healthz", Anyone), get(metrics::healthz)),
        (row("GET", "/metrics", Monitor), get(metrics::metrics)),
    ]
}

/// The access table: every route there is.
#[must_use]
pub fn access() -> Vec<Access> {
    served().into_iter().map(|(access, _)| access).collect()
}
