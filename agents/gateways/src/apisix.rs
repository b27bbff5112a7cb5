//! Drives Apache APISIX (3.9 and later) over its admin API.
//!
//! A cut is an object of ours, written at once: the global rule `portcullis-cut`, which refuses before a key is looked at.
//! Routes, upstreams and consumers of ours bear our prefix and our label; nothing else in the gateway is touched.
//! **Invariant:** an overlay is named only where what stands in the gateway is exactly what that overlay comes to.

mod admin;
mod check;
mod compare;
mod control;
mod document;
mod force;
mod health;
mod keep;
mod live;
mod logged;
mod look;
pub mod metrics;
mod models;
mod names;
mod objects;
mod shut;
mod state;
mod store;

pub use names::route_of;

use crate::http::{Lane, once};
use crate::sever::Streams;
use crate::{Drift, Finding, Gateway, GatewayError, Mode, Probed, Severed, Wanted};
use kill_wire::Name;
use net_model::{Observed, Overlay, Secret};
use state::State;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use store::Store;

/// Where an APISIX keeps its configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeps {
    /// In etcd: the admin API writes one object at a time.
    Etcd,
    /// In memory (API-driven standalone mode): the admin API replaces the whole document, and a restart loses it.
    Standalone,
}

/// How an APISIX is spoken to.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What it is called here.
    pub name: Name,
    /// Its admin API.
    pub admin: SocketAddr,
    /// What the admin API asks for.
    pub admin_key: Secret,
    /// Its control API.
    pub control: Option<SocketAddr>,
    /// Where Prometheus would scrape it.
    pub metrics: Option<SocketAddr>,
    /// Where it serves, in plain HTTP.
    pub data: Vec<SocketAddr>,
    /// Where it keeps its configuration.
    pub keeps: Keeps,
    /// Whether its routes are ours to keep. If not, whatever is cut is everything.
    pub manage: bool,
    /// Whether a cut ends open streams in the kernel of this host.
    pub sever: bool,
    /// What routes of ours shall do besides leading to their targets.
    pub besides: Besides,
}

/// What routes of ours do besides; nothing unless their owner asks for it.
#[derive(Clone, Debug, Default)]
pub struct Besides {
    /// Chat completions go through `ai-proxy-multi`: APISIX counts tokens then, and holds limits of them.
    pub ai_proxy: bool,
    /// Where each call is told of.
    pub usage: Option<UsageTo>,
}

/// Where `http-logger` posts its rows.
#[derive(Clone, Debug)]
pub struct UsageTo {
    /// The address, such as `http://127.0.0.1:7410/api/v1/usage/edge`.
    pub uri: String,
    /// What is shown there.
    pub token: Secret,
}

/// One APISIX.
#[derive(Debug)]
pub struct Apisix {
    settings: Settings,
    /// Three connections, so that neither a slow look nor a long reconcile holds up a cut.
    orders: Store,
    looks: Store,
    routes: Store,
    /// To the first data port.
    live: Option<Lane>,
    streams: Streams,
    /// Whoever writes our rule holds it, and reads what to write only then.
    turn: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

impl Apisix {
    /// The gateway there; it need not run yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let store = || Store::new(settings.admin, &settings.admin_key, settings.keeps);
        Self {
            orders: store(),
            looks: store(),
            routes: store(),
            live: settings.data.first().copied().map(Lane::new),
            streams: Streams::of(&settings.data, settings.sever),
            turn: tokio::sync::Mutex::default(),
            state: Mutex::new(State::new(settings.besides.ai_proxy)),
            settings,
        }
    }

    /// What it is called here.
    #[must_use]
    pub const fn name(&self) -> &Name {
        &self.settings.name
    }

    /// Its counters; none where no address for them is set.
    ///
    /// # Errors
    /// Where it cannot be reached, or answers something else.
    pub async fn counters(&self) -> Result<Option<metrics::Counters>, GatewayError> {
        match self.settings.metrics {
            Some(at) => counters_at(at).await.map(Some),
            None => Ok(None),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The counters of the APISIX that tells them there.
///
/// # Errors
/// Where it cannot be reached, or answers something else.
pub async fn counters_at(at: SocketAddr) -> Result<metrics::Counters, GatewayError> {
    const WAIT: Duration = Duration::from_secs(2);
    let ask = crate::http::Ask::new(http::Method::GET, metrics::PATH);
    let answer = once(at, &ask, WAIT).await?;
    if !answer.status.is_success() {
        let said = format!("{} answered {}", metrics::PATH, answer.status.as_u16());
        return Err(GatewayError::Refused(said));
    }
    Ok(metrics::Counters::read(&answer.body))
}

impl Gateway for Apisix {
    async fn observe(&self) -> Result<Observed, GatewayError> {
        self.look().await
    }

    async fn apply(&self, overlay: &Overlay) -> Result<Severed, GatewayError> {
        self.force(overlay).await
    }

    async fn reconcile(&self, wanted: &Wanted, mode: Mode) -> Result<Drift, GatewayError> {
        self.keep(wanted, mode).await
    }

    async fn probe(&self) -> Result<Vec<Probed>, GatewayError> {
        Ok(self.try_every_way().await)
    }

    async fn check(&self) -> Result<Vec<Finding>, GatewayError> {
        Ok(self.findings().await)
    }
}
