//! Tailscale's service on this machine, over its unix socket.
//!
//! Only questions: this client changes nothing there. Every question has 2 s and at most 8 MiB of answer, and its status is
//! kept: "nobody is there" (404), "you may not ask" (403) and "it is in trouble" (5xx) are three different things.

mod bus;
mod call;
mod status;
mod who;

pub use bus::Bus;
pub use status::{Prefs, Status};
pub use who::WhoIs;

use crate::read::{self, NotUnderstood};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Where the service listens on Linux.
const SOCKET: &str = "/run/tailscale/tailscaled.sock";

/// Asks the mesh service of this machine.
#[derive(Clone, Debug)]
pub struct LocalApi {
    socket: PathBuf,
}

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// Nothing listens there, or it may not be spoken to.
    #[error("the mesh service at {socket} cannot be reached")]
    Unreachable {
        /// The socket.
        socket: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It took too long.
    #[error("the mesh service did not answer within 2 s")]
    Silent,
    /// The connection or the answer broke off.
    #[error("the answer of the mesh service broke off")]
    Broken(#[source] hyper::Error),
    /// The answer is longer than 8 MiB.
    #[error("the answer of the mesh service is too long")]
    TooLong,
    /// 404: it knows nobody like that.
    #[error("the mesh service knows nobody like that")]
    Nobody,
    /// 403: it does not answer this to us.
    #[error("the mesh service does not answer this to us")]
    Denied,
    /// Any other status.
    #[error("the mesh service answered {0}")]
    Status(u16),
    /// The answer is not what was asked for.
    #[error(transparent)]
    NotUnderstood(#[from] NotUnderstood),
}

impl LocalApi {
    /// The service behind this socket.
    #[must_use]
    pub fn at(socket: impl Into<PathBuf>) -> Self {
        let socket = socket.into();
        Self { socket }
    }

    /// Where the socket is unless somebody says otherwise.
    #[must_use]
    pub fn usual() -> &'static Path {
        Path::new(SOCKET)
    }

    /// This machine and every node it knows of.
    ///
    /// # Errors
    /// No answer, a status other than 200, or an answer that is none.
    pub async fn status(&self) -> Result<Status, LocalError> {
        let answer = call::get(&self.socket, "status").await?;
        Ok(Status::read(&answer)?)
    }

    /// What this machine takes part in.
    ///
    /// # Errors
    /// As for [`LocalApi::status`].
    pub async fn prefs(&self) -> Result<Prefs, LocalError> {
        let answer = call::get(&self.socket, "prefs").await?;
        Ok(read::json(&answer)?)
    }

    /// Who is behind an address from which a connection came.
    ///
    /// # Errors
    /// [`LocalError::Nobody`] when the mesh knows nobody there; otherwise as for [`LocalApi::status`].
    pub async fn whois(&self, peer: SocketAddr) -> Result<WhoIs, LocalError> {
        // An IPv6 address stands in brackets, which a query may hold as they are.
        let answer = call::get(&self.socket, &format!("whois?addr={peer}")).await?;
        Ok(WhoIs::read(&answer)?)
    }

    /// Follows what changes on the mesh.
    ///
    /// # Errors
    /// As for [`LocalApi::status`].
    pub async fn watch(&self) -> Result<Bus, LocalError> {
        Bus::open(&self.socket).await
    }
}
