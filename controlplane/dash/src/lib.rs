//! The dashboard: one page that shows the house, a red button that cuts, a form that restores.
//!
//! A view is a struct with a template; the page is a frame around the same parts that `/events` sends when they
//! change. The forms stand outside these parts, so nothing is swapped away under somebody who types.
//!
//! What is absent: a way to restore without a RESTORE code, and anything a cut waits for. When the kill switch
//! or the gateway cannot be read, the page says so instead of showing what it saw last.

mod access;
mod act;
mod api;
mod assets;
mod events;
mod headers;
mod host;
mod metrics;
mod page;
mod sign_in;
mod view;

pub use access::{Access, Who, access};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use kill_wire::Timestamp;
use killctl::Lever;
use net_model::Snapshot;
use std::path::PathBuf;
use std::sync::Arc;
use store::Store;
use tokio::sync::{Semaphore, watch};
use tower_http::csrf::CsrfLayer;

/// Longest request body in bytes; the longest form is far below.
const LONGEST_BODY: usize = 16 * 1024;

/// Most browsers that listen at once.
const LISTENERS: usize = 64;

/// What the dashboard works with.
#[derive(Clone, Debug)]
pub struct App {
    /// The database, for sessions and figures.
    pub store: Store,
    /// The newest moment of the house. When its sender goes, open event streams end.
    pub snapshots: watch::Receiver<Arc<Snapshot>>,
    /// The kill switch.
    pub lever: Lever,
    /// Where one-time sign-in tokens lie, as empty files named by the SHA-256 of the token.
    pub sign_in_dir: PathBuf,
    /// Names besides `localhost` and literal addresses under which a browser may call, such as
    /// `portcullis.lan`; without port.
    pub hosts: Vec<String>,
    /// Reads the clock.
    pub clock: fn() -> Timestamp,
}

/// What every handler sees.
#[derive(Debug)]
struct Site {
    app: App,
    listeners: Arc<Semaphore>,
}

impl Site {
    fn now(&self) -> Timestamp {
        (self.app.clock)()
    }

    /// The newest moment. When nobody looks at the house any more, it says so instead of the last state seen.
    fn snapshot(&self) -> Arc<Snapshot> {
        let newest = Arc::clone(&self.app.snapshots.borrow());
        if self.app.snapshots.has_changed().is_ok() {
            return newest;
        }
        let why = format!("the control plane stopped looking at {}", newest.at.clock());
        let mut blind = Snapshot::clone(&newest);
        blind.killswitch = Err(why.clone());
        blind.gateway = Err(why);
        Arc::new(blind)
    }
}

/// Every route of the dashboard. Refuses foreign host names and cross-site forms, whatever the route.
pub fn router(app: App) -> Router {
    let site = Arc::new(Site {
        app,
        listeners: Arc::new(Semaphore::new(LISTENERS)),
    });
    let routes = access::served()
        .into_iter()
        .fold(Router::new(), |router, (access, handler)| {
            router.route(access.path, handler)
        });
    routes
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .layer(CsrfLayer::new())
        .layer(axum::middleware::from_fn_with_state(
            Arc::clone(&site),
            host::known,
        ))
        .layer(axum::middleware::map_response(headers::harden))
        .with_state(site)
}
