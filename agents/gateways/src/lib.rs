//! What a node agent needs of a gateway, and one file per kind of gateway that gives it.
//!
//! Every call ends within [`LIMIT`]: a gateway that hangs delays neither the next order nor its neighbours for longer.

mod embedded;
mod memory;

pub use embedded::Embedded;
pub use memory::Memory;

use net_model::{Observed, Overlay};
use std::path::PathBuf;
use std::time::Duration;

/// Longest time one call to a gateway takes: well over the 250 ms in which a gateway ends streams, and short enough
/// that the agent's answer still reaches a kill switch that waits one second.
pub const LIMIT: Duration = Duration::from_millis(800);

/// What a node agent needs of a gateway; `memory.rs` is the twin that tests use.
pub trait Gateway {
    /// What the gateway says of itself now.
    fn observe(&self) -> impl Future<Output = Result<Observed, GatewayError>> + Send;
    /// Puts this overlay in force; returns when what it closes has ended, or after the gateway's own short limit.
    fn apply(
        &self,
        overlay: &Overlay,
    ) -> impl Future<Output = Result<Severed, GatewayError>> + Send;
}

/// What an overlay ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Severed {
    /// Exchanges it ended.
    pub severed: u32,
    /// Of these, not yet gone when the gateway answered.
    pub lingering: u32,
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
        #[expect(clippy::large_enum_variant, reason = "an agent makes a handful, once")]
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
                match self { $(Self::$Driver(gateway) => bounded(gateway.observe()).await),* }
            }
            async fn apply(&self, overlay: &Overlay) -> Result<Severed, GatewayError> {
                match self { $(Self::$Driver(gateway) => bounded(gateway.apply(overlay)).await),* }
            }
        }
    };
}

drivers! { embedded => Embedded, memory => Memory }

impl Driver {
    /// The embedded gateway behind this control socket.
    #[must_use]
    pub fn embedded(socket: PathBuf) -> Self {
        Self::Embedded(Embedded::new(socket))
    }
}

async fn bounded<T>(
    call: impl Future<Output = Result<T, GatewayError>> + Send,
) -> Result<T, GatewayError> {
    match tokio::time::timeout(LIMIT, call).await {
        Ok(answer) => answer,
        Err(_) => Err(GatewayError::Silent(LIMIT)),
    }
}
