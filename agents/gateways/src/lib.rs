//! What a node agent needs of a gateway, and one file per kind of gateway that gives it.
//!
//! On the kill path are [`Gateway::observe`] and [`Gateway::apply`] alone: each ends within [`LIMIT`], so that a gateway
//! that hangs delays neither the next order nor its neighbours for longer. Whatever else a driver does (wanted routes,
//! probes, checks) has a connection of its own and ends within [`SLOW`].

pub mod apisix;
mod closing;
mod embedded;
mod http;
mod litellm;
mod memory;
mod nginx;
mod refusal;
mod seen;
mod sever;
mod wanted;

pub use apisix::{Apisix, Settings as ApisixSettings};
pub use closing::{Closed, Closing};
pub use embedded::Embedded;
pub use litellm::{CutBy as LitellmCutBy, Litellm, Settings as LitellmSettings};
pub use memory::Memory;
pub use nginx::{Nginx, Settings as NginxSettings};
pub use refusal::{Refusal, refusal};
pub use wanted::{Drift, Finding, Mode, Passage, Probed, Wanted};

use net_model::{Observed, Overlay};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Longest time one call to a gateway takes: well over the 250 ms in which a gateway ends streams, and short enough
/// that the agent's answer still reaches a kill switch that waits one second.
pub const LIMIT: Duration = Duration::from_millis(800);

/// Longest time a call takes that is not on the kill path.
pub const SLOW: Duration = Duration::from_secs(15);

/// What a node agent needs of a gateway; `memory.rs` is the twin that tests use.
///
/// A cut and a restore are one call, [`Gateway::apply`]: it lays everything that is closed over the wanted routes, and a
/// restore is an overlay that closes less. What only gateways have that keep routes of their own has a default here.
pub trait Gateway: Sync {
    /// What the gateway says of itself now. Names an overlay only where it has looked that this overlay is in force.
    fn observe(&self) -> impl Future<Output = Result<Observed, GatewayError>> + Send;
    /// Puts this overlay in force; returns when what it closes has ended, or after the gateway's own short limit.
    ///
    /// # Errors
    /// Also where it is not known whether the gateway took it: the next look tells.
    fn apply(
        &self,
        overlay: &Overlay,
    ) -> impl Future<Output = Result<Severed, GatewayError>> + Send;
    /// Brings the routes the gateway keeps to what is wanted, or only says what it would change. What is not ours stays
    /// untouched, and nothing here opens what an overlay closes.
    fn reconcile(
        &self,
        _wanted: &Wanted,
        _mode: Mode,
    ) -> impl Future<Output = Result<Drift, GatewayError>> + Send {
        async { Ok(Drift::default()) }
    }
    /// Tries every way through the gateway's own data port, as a client would. Never a paid call.
    fn probe(&self) -> impl Future<Output = Result<Vec<Probed>, GatewayError>> + Send {
        async { Ok(Vec::new()) }
    }
    /// Looks at set-up, before anything is cut, for what would keep a cut from working.
    fn check(&self) -> impl Future<Output = Result<Vec<Finding>, GatewayError>> + Send {
        async { self.observe().await.map(|_| Vec::new()) }
    }
}

/// What an overlay ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Severed {
    /// Exchanges it ended.
    pub severed: u32,
    /// Of these, not yet gone when the gateway answered.
    pub lingering: u32,
    /// Why what had begun goes on although the overlay is in force; none where nothing does. Whoever is told of it must
    /// not call it cut.
    pub goes_on: Option<String>,
}

/// Why a gateway could not be asked or told.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// No connection, or it broke.
    #[error("cannot be reached: {0}")]
    Unreachable(#[source] std::io::Error),
    /// Connected, but silent.
    #[error("did not answer within {0:?}")]
    Silent(Duration),
    /// It said no.
    #[error("refused: {0}")]
    Refused(String),
    /// It said something that is no answer to what was asked.
    #[error("gave an answer that cannot be understood: {0}")]
    Garbled(String),
}

/// The list of kinds: one line each makes the enum and its dispatch.
macro_rules! drivers {
    ($($kind:ident => $Driver:ident),*) => {
        /// A gateway of any kind.
        #[derive(Debug)]
        pub enum Driver { $(#[doc = concat!("See [`", stringify!($Driver), "`].")] $Driver($Driver)),* }

        impl Driver {
            /// The kind, as people read it in receipts and logs.
            #[must_use]
            pub const fn kind(&self) -> &'static str {
                match self { $(Self::$Driver(_) => stringify!($kind)),* }
            }
        }

        impl Gateway for Driver {
            async fn observe(&self) -> Result<Observed, GatewayError> {
                match self { $(Self::$Driver(gateway) => bounded(LIMIT, gateway.observe()).await),* }
            }
            async fn apply(&self, overlay: &Overlay) -> Result<Severed, GatewayError> {
                match self { $(Self::$Driver(gateway) => bounded(LIMIT, gateway.apply(overlay)).await),* }
            }
            async fn reconcile(&self, wanted: &Wanted, mode: Mode) -> Result<Drift, GatewayError> {
                match self { $(Self::$Driver(gateway) => bounded(SLOW, gateway.reconcile(wanted, mode)).await),* }
            }
            async fn probe(&self) -> Result<Vec<Probed>, GatewayError> {
                match self { $(Self::$Driver(gateway) => bounded(SLOW, gateway.probe()).await),* }
            }
            async fn check(&self) -> Result<Vec<Finding>, GatewayError> {
                match self { $(Self::$Driver(gateway) => bounded(SLOW, gateway.check()).await),* }
            }
        }
    };
}

drivers! { embedded => Embedded, memory => Memory, apisix => Apisix, nginx => Nginx, litellm => Litellm }

impl Driver {
    /// The embedded gateway behind this control socket.
    #[must_use]
    pub fn embedded(socket: PathBuf) -> Self {
        Self::Embedded(Embedded::new(socket))
    }

    /// The same gateway, called `name`, whose driver keeps below `folder` what must outlive this process; most keep nothing.
    #[must_use]
    pub fn remembering(self, folder: &Path, name: &str) -> Self {
        match self {
            Self::Litellm(litellm) => {
                let file = folder.join(format!("blocked-{name}.json"));
                Self::Litellm(litellm.remembering(file))
            }
            Self::Embedded(_) | Self::Memory(_) | Self::Apisix(_) | Self::Nginx(_) => self,
        }
    }
}

async fn bounded<T>(
    limit: Duration,
    call: impl Future<Output = Result<T, GatewayError>> + Send,
) -> Result<T, GatewayError> {
    match tokio::time::timeout(limit, call).await {
        Ok(answer) => answer,
        Err(_) => Err(GatewayError::Silent(limit)),
    }
}
