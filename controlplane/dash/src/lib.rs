//! The dashboard: one page that shows the house, a red button that cuts, a form that restores.
//!
//! A view is a struct with a template; the page is a frame around the same parts that `/events` sends when they
//! change. The forms stand outside these parts, so nothing is swapped away under somebody who types.
//!
//! At an address on the mesh a person is known by what the mesh says of the other end of the connection; everywhere else by a
//! session. Each route's row in [`access`] says who may use it; a layer made from the row lets in nobody else.
//!
//! What is absent: a way to restore without a RESTORE code, and anything a cut waits for. When the kill switch
//! or the gateway cannot be read, the page says so instead of showing what it saw last.

mod access;
mod account;
mod act;
mod answer;
mod api;
mod assets;
mod attempts;
mod caller;
mod channels;
mod chronicle;
mod config;
mod consumers;
mod events;
mod explain;
mod feeds;
mod fleet;
mod frame;
mod guard;
mod happenings;
mod headers;
mod host;
mod house;
mod lever;
mod listening;
mod memory;
mod metrics;
mod office;
mod oidc_in;
mod openapi;
mod pace;
mod page;
mod passkey_in;
mod past;
mod people;
mod problems;
mod pulse;
mod record;
mod refused;
mod renew;
mod seal;
mod sessions;
mod settings;
mod sign_in;
mod site;
mod slice;
mod spend;
mod stop;
mod targets;
mod tokens;
mod view;
mod violations;
mod visitor;

pub use access::{Access, Who, access};
pub use chronicle::{JournalFile, JournalHolds};
pub use config::ConfigAsk;
pub use feeds::{Feeds, Source};
pub use office::{
    Cards, ConsumerBook, ConsumerChange, ConsumerView, ConsumerWish, Edit, Enrolled, Field,
    KeyToScan, NewHost, NewPerson, Office, OwnRules, Pending, PersonView, SettingsView, Shown,
    Ticket, Trouble, TroubleKind, Vouch,
};
pub use site::App;

use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::{Extension, Router};
use guard::Guard;
use mesh::Whois;
use site::Site;
use std::sync::Arc;
use tower_http::csrf::CsrfLayer;
use visitor::OverMesh;

/// Longest request body in bytes; the longest form is far below.
const LONGEST_BODY: usize = 16 * 1024;

/// Every route of the dashboard. Refuses foreign host names and cross-site forms, whatever the route.
pub fn router(app: App) -> Router {
    all(app)
}

/// The same for a listener at an address on the mesh: whoever the mesh says is granted it is let in without a session.
/// The listener must tell who connected (`into_make_service_with_connect_info::<SocketAddr>()`); without that nobody is.
pub fn over_mesh(app: App, whois: Whois) -> Router {
    all(app).layer(Extension(OverMesh(whois)))
}

fn all(app: App) -> Router {
    let site = Arc::new(Site::new(app));
    let routes = access::served()
        .into_iter()
        .fold(Router::new(), |router, (row, handler)| {
            let guard = Guard {
                site: Arc::clone(&site),
                row,
            };
            let guarded = handler.route_layer(from_fn_with_state(guard, guard::check));
            router.route(row.path, guarded)
        });
    routes
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .layer(CsrfLayer::new())
        .layer(from_fn_with_state(Arc::clone(&site), host::known))
        .layer(from_fn(problems::only))
        .layer(axum::middleware::map_response(headers::harden))
        .with_state(site)
}
