//! What to look at on this host.

use net_model::report::GatewayKind;
use std::net::SocketAddr;
use std::path::PathBuf;

/// What to look at besides what every host has.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Where an Ollama server listens.
    pub ollama: Option<SocketAddr>,
    /// Gateways of this host.
    pub gateways: Vec<WatchedGateway>,
    /// NVIDIA's program, where there is such a card.
    pub nvidia_smi: Option<PathBuf>,
    /// Sockets of runtime helpers.
    pub runtime_helpers: Vec<PathBuf>,
}

/// One gateway that is watched.
#[derive(Clone, Debug)]
pub struct WatchedGateway {
    /// Its name in reports.
    pub name: String,
    /// Its kind, which says what is asked of it.
    pub kind: GatewayKind,
    /// Where it listens for such questions.
    pub address: SocketAddr,
}
