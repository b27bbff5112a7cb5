//! Who may use which route. The router is made from this list, and so is the guard in front of each route: there is no route
//! without a row, and no row that a handler could forget.

mod account;
mod guests;
mod kept;
mod looked;
mod programs;
mod twins;

use crate::site::Site;
use crate::{
    act, api, assets, config, events, feeds, fleet, metrics, oidc_in, page, past, sessions,
    sign_in, spend, stop, targets,
};
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
    /// Whoever is signed in, or let in by the mesh.
    Viewer,
    /// Who may cut besides.
    Operator,
    /// Who may restore with a code, and change things, besides.
    Admin,
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
    /// It cuts: a session that was seen to be valid is enough, and no database is asked.
    pub cuts: bool,
}

const fn row(method: &'static str, path: &'static str, who: Who) -> Access {
    let cuts = false;
    Access {
        method,
        path,
        who,
        cuts,
    }
}

impl Access {
    const fn cuts(self) -> Self {
        Self { cuts: true, ..self }
    }
}

/// Every route with its row.
#[expect(clippy::too_many_lines, reason = "a table reads best in one piece")]
pub(crate) fn served() -> Vec<(Access, MethodRouter<Arc<Site>>)> {
    use Who::{Admin, Anyone, Monitor, Operator, Sender, Viewer};
    let mut rows = vec![
        (row("GET", "/", Viewer), get(page::show)),
        (row("GET", "/events", Viewer), get(events::listen)),
        (row("GET", "/stop", Viewer), get(stop::show)),
        (row("GET", "/stop/offline", Anyone), get(stop::offline)),
        (row("GET", "/stop/worker.js", Anyone), get(stop::worker)),
        (
            row("GET", "/stop/manifest.webmanifest", Anyone),
            get(stop::manifest),
        ),
        (row("POST", "/cut", Operator).cuts(), post(act::cut)),
        (row("POST", "/restore", Admin), post(act::restore)),
        (row("POST", "/drill", Operator), post(act::drill)),
        (row("POST", "/check-in", Operator), post(act::check_in)),
        (row("GET", "/sign-in", Anyone), get(sign_in::ask)),
        (row("POST", "/sign-in", Anyone), post(sign_in::enter)),
        (row("POST", "/sign-out", Viewer), post(sign_in::leave)),
        (row("GET", "/sign-in/oidc", Anyone), get(oidc_in::begin)),
        (row("GET", "/sign-in/oidc/back", Anyone), get(oidc_in::back)),
        (
            row("POST", "/sign-in/oidc/logout", Anyone),
            post(oidc_in::logged_out),
        ),
        (row("GET", "/sessions", Viewer), get(sessions::show)),
        (
            row("POST", "/sessions/{id}/end", Viewer),
            post(sessions::end),
        ),
        (row("GET", "/api/v1/state", Viewer), get(api::state)),
        (
            row("GET", "/api/v1/incidents", Viewer),
            get(past::api::incidents),
        ),
        (row("GET", "/api/v1/usage", Viewer), get(api::usage)),
        (
            row("POST", "/api/v1/usage/{source}", Sender),
            post(feeds::take_in).layer(DefaultBodyLimit::max(usage_feeds::MAX_BYTES)),
        ),
        (row("GET", "/incidents", Viewer), get(past::incidents)),
        (
            row("GET", "/incidents/{number}", Viewer),
            get(past::incident),
        ),
        (row("GET", "/targets", Viewer), get(targets::show)),
        (row("GET", "/spend", Viewer), get(spend::show)),
        (row("GET", "/spend.csv", Viewer), get(spend::file)),
        (row("GET", "/journal", Viewer), get(past::journal)),
        (row("GET", "/journal/export", Viewer), get(past::export)),
        (row("POST", "/journal/verify", Viewer), post(past::verify)),
        (row("GET", "/hosts", Viewer), get(fleet::hosts)),
        (row("GET", "/hosts/{name}", Viewer), get(fleet::host)),
        (row("GET", "/mesh", Viewer), get(fleet::mesh)),
        (row("GET", "/alerts", Viewer), get(fleet::alerts)),
        (row("GET", "/jobs", Viewer), get(fleet::jobs)),
        (row("GET", "/api/v1/hosts", Viewer), get(fleet::api::hosts)),
        (
            row("GET", "/api/v1/hosts/{name}", Viewer),
            get(fleet::api::host),
        ),
        (row("GET", "/api/v1/zones", Viewer), get(fleet::api::zones)),
        (
            row("GET", "/api/v1/alerts", Viewer),
            get(fleet::api::alerts),
        ),
        (row("GET", "/api/v1/mesh", Viewer), get(fleet::api::mesh)),
        (row("GET", "/api/v1/jobs", Viewer), get(fleet::api::jobs)),
        (
            row("POST", "/api/v1/config/reload", Admin),
            post(config::reload),
        ),
        (
            row("POST", "/api/v1/config/check", Admin),
            post(config::check),
        ),
        (
            row("GET", "/assets/{hash}/{name}", Anyone),
            get(assets::serve),
        ),
        (row("GET", "/healthz", Anyone), get(metrics::healthz)),
        (row("GET", "/metrics", Monitor), get(metrics::metrics)),
    ];
    rows.extend(programs::rows());
    rows.extend(kept::rows());
    rows.extend(looked::rows());
    rows.extend(account::rows());
    rows.extend(twins::rows());
    rows.extend(guests::rows());
    rows
}

/// The access table: every route there is.
#[must_use]
pub fn access() -> Vec<Access> {
    served().into_iter().map(|(access, _)| access).collect()
}
