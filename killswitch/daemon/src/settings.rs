//! What the kill switch is told at its start.

use crate::vantage::Vantage;
use kill_inbound::Channel;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Everything it needs to know; literal addresses only.
#[derive(Debug, Default)]
pub struct Settings {
    /// Folder made by [`crate::create_state`].
    pub state_dir: PathBuf,
    /// Where sockets are made when the state folder refuses them: a folder in memory, such as systemd's `$RUNTIME_DIRECTORY`.
    pub run_dir: Option<PathBuf>,
    /// Who may bring a text.
    pub channels: Vec<Channel>,
    /// Node agents.
    pub agents: Vec<SocketAddr>,
    /// Where probes are sent from.
    pub vantages: Vec<Vantage>,
    /// Where the courier's socket stands, if not in the state folder: a courier that runs as another user cannot look in there.
    pub courier_socket: Option<PathBuf>,
    /// The group of the courier's socket may open it, too.
    pub courier_group: bool,
}

impl Settings {
    /// The courier's socket, as configured.
    pub(crate) fn courier_socket(&self) -> PathBuf {
        let own = || courier_socket(&self.state_dir);
        self.courier_socket.clone().unwrap_or_else(own)
    }
}

/// The lever's socket inside a state folder.
#[must_use]
pub fn lever_socket(state_dir: &Path) -> PathBuf {
    state_dir.join("lever.sock")
}

/// The courier's socket inside a state folder.
#[must_use]
pub fn courier_socket(state_dir: &Path) -> PathBuf {
    state_dir.join("courier.sock")
}
