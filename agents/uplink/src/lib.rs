//! The host's way to the control plane: joins, keeps its certificate fresh, brings reports or lets them be fetched.
//!
//! **Invariant:** the key of a host is made on the host and never leaves it. Nothing secret is said to anyone before the house card
//! matched the token and the house's authority vouched for who is at the other end.
//!
//! What is absent: orders, and the keys they are signed by after joining. A renewed certificate brings no new order keys, so the
//! control plane cannot make itself a kill switch.

mod fetch;
mod identity;
mod join;
mod key;
mod listen;
mod patience;
mod push;
mod renew;
mod seal;
pub mod trial;
mod wait_in;

pub use fetch::{FetchError, update_agent};
pub use identity::{Identity, IdentityError, State};
pub use join::{JoinError, join};
pub use patience::Chance;
pub use seal::{BadSeal, check_seal};
pub use wait_in::wait_to_be_called;

use host_facts::Buffer;
use net_link::Clock;
use net_model::Dial;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use tokio_util::sync::CancellationToken;

/// Reports that wait on this host; the collector pushes, this crate takes away.
pub type Shelf = Arc<Mutex<Buffer>>;

/// What the way to the control plane is made of.
#[derive(Debug)]
pub struct Settings {
    /// Where [`State`] keeps who this host is.
    pub state_dir: PathBuf,
    /// What waits to be brought.
    pub shelf: Shelf,
    /// Where to call, instead of the addresses of the house card.
    pub at: Vec<SocketAddr>,
    /// Where a host that is dialled listens.
    pub listen: SocketAddr,
    /// The wall clock: only certificates are judged by it.
    pub clock: Clock,
    /// Spreads what many hosts do at the same time.
    pub chance: Chance,
}

/// Brings reports, or lets them be fetched, until `stop`. A host that has not joined waits for it: `node-agent join` may be run
/// meanwhile.
pub async fn run(settings: Settings, stop: CancellationToken) {
    let working = async {
        loop {
            let Some(identity) = identity::wait(&settings).await else {
                continue;
            };
            let ended = match identity.dial {
                Dial::Out => push::keep_bringing(&settings, identity).await,
                Dial::In => listen::keep_listening(&settings, identity).await,
            };
            tracing::debug!(ended, "Looking anew who this host is.");
        }
    };
    stop.run_until_cancelled(working).await;
}
