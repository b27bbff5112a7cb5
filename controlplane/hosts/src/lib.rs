//! Where hosts join and report: the listener, the calls to hosts that are dialled, certificates, the list of who is shut out.
//!
//! **Invariant:** a host is who its certificate says, and the control plane is asked about that certificate at each question;
//! nothing in a message names its sender. One host's silence, slowness or flood delays no other: each has one exchange in hand,
//! a pace, and a limit of time.
//!
//! What is absent: orders. They come from the kill switch alone, signed by keys that a host takes once, when it joins.

mod binary;
mod caller;
mod certified;
mod desk;
mod dial;
mod gate;
mod house;
mod intake;
mod invite;
mod join;
mod pace;
mod refusal;
mod renew;
mod reports;
mod requests;
mod serve;

pub use binary::add as add_agent_binary;
pub use house::{House, exists as house_exists, make as make_house};
pub use intake::{Intake, Reporter};
pub use invite::{Guest, Invited, TOKEN_LIFE_MS, invite};
pub use pki::Life;

use anyhow::Context as _;
use desk::Desk;
use net_link::Clock;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use store::Store;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What the listener for hosts is made of.
#[derive(Debug)]
pub struct Settings<I> {
    /// Who is in, and by which certificate.
    pub store: Store,
    /// The house's authority.
    pub house: House,
    /// Takes the reports.
    pub intake: I,
    /// How long a host's certificate is good.
    pub life: Life,
    /// Folder with the agent's binaries.
    pub binaries: PathBuf,
    /// The wall clock.
    pub clock: Clock,
}

/// The running listener and the calls.
#[derive(Debug)]
pub struct Hosts {
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Hosts {
    /// Listens, and dials. Must be called inside a runtime.
    ///
    /// # Errors
    /// When the listener cannot be used, or there is no randomness.
    pub fn start<I: Intake>(settings: Settings<I>, listener: TcpListener) -> anyhow::Result<Self> {
        listener
            .set_nonblocking(true)
            .and_then(|()| tokio::net::TcpListener::from_std(listener))
            .context("cannot use the listener for hosts")
            .and_then(|listener| {
                let desk = Arc::new(Desk::open(settings)?);
                let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
                let (serving, dialling) = (stop.clone(), stop.clone());
                let there = Arc::clone(&desk);
                tasks.spawn(async move { serve::serve(&there, listener, &serving).await });
                tasks.spawn(async move { dial::keep_calling(&desk, &dialling).await });
                tasks.close();
                Ok(Self { stop, tasks })
            })
    }

    /// Stops; what is in hand has until `limit`.
    pub async fn stop(self, limit: Duration) {
        self.stop.cancel();
        if tokio::time::timeout(limit, self.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!(task = "hosts", ?limit, "Did not stop in time.");
        }
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
