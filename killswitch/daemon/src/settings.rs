//! What the kill switch is told at its start.

use crate::direct::Direct;
use crate::peers::Peer;
use crate::vantage::Vantage;
use crate::watchdog::Watchdog;
use kill_core::Rules;
use kill_inbound::Channel;
use kill_wire::Name;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A channel silent for this long is a warning, if nothing else is configured.
const SILENT_AFTER: Duration = Duration::from_secs(30 * 86_400);

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
    /// The other kill switches of the house, at most three.
    pub peers: Vec<Peer>,
    /// Which of them this one is, 0 to 3; its incidents bear numbers that leave this rest when divided by 4.
    pub instance: Option<u8>,
    /// Two people, check-in, duress, what a text may restore, how much may be guessed.
    pub rules: Rules,
    /// How often it drills by itself; never, if not given.
    pub drill_every: Option<Duration>,
    /// A channel that brought nothing for this long is called silent; 30 days, if not given.
    pub silent_after: Option<Duration>,
    /// Ways past the gateway that a cut must close.
    pub direct: Vec<Direct>,
    /// Names that a command may use besides routes and consumers: zones and hosts that fences close.
    pub scopes: Vec<Name>,
    /// PEM files of the certificates that providers see, so that their end is known before it comes.
    pub certificates: Vec<PathBuf>,
    /// What systemd asks for; see [`Watchdog::from_environment`].
    pub watchdog: Option<Watchdog>,
    /// Where the lever's socket stands, if not in the state folder: a dashboard that runs as another user cannot look in there.
    pub lever_socket: Option<PathBuf>,
    /// The group of the lever's socket may open it, too, and so cut without a code.
    pub lever_group: bool,
    /// Where the courier's socket stands, if not in the state folder: a courier that runs as another user cannot look in there.
    pub courier_socket: Option<PathBuf>,
    /// The group of the courier's socket may open it, too.
    pub courier_group: bool,
}

impl Settings {
    /// The lever's socket, as configured.
    pub(crate) fn lever_socket(&self) -> PathBuf {
        let own = || lever_socket(&self.state_dir);
        self.lever_socket.clone().unwrap_or_else(own)
    }

    /// The courier's socket, as configured.
    pub(crate) fn courier_socket(&self) -> PathBuf {
        let own = || courier_socket(&self.state_dir);
        self.courier_socket.clone().unwrap_or_else(own)
    }
}

/// What the tasks go by.
#[derive(Clone, Debug)]
pub(crate) struct Wishes {
    pub(crate) drill_every: Option<Duration>,
    silent_after: Duration,
    pub(crate) certificates: Vec<PathBuf>,
    pub(crate) watchdog: Option<Watchdog>,
}

impl Wishes {
    pub(crate) fn of(settings: &Settings) -> Self {
        Self {
            drill_every: settings.drill_every,
            silent_after: settings.silent_after.unwrap_or(SILENT_AFTER),
            certificates: settings.certificates.clone(),
            watchdog: settings.watchdog.clone(),
        }
    }

    /// In milliseconds.
    pub(crate) fn silent_after_ms(&self) -> u64 {
        u64::try_from(self.silent_after.as_millis()).unwrap_or(u64::MAX)
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
