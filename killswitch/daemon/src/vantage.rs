//! From where probes look, and what they have seen work.

use kill_wire::{CanaryState, ProbePoint};
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// From where probes are sent: one gateway, and the key that makes a call a probe there.
#[derive(Clone)]
pub struct Vantage {
    /// The gateway's data listener.
    pub gateway: SocketAddr,
    /// Its probe key.
    pub probe_key: String,
}

impl std::fmt::Debug for Vantage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Vantage({})", self.gateway)
    }
}

/// Where probes stand, and whether each worked when it last should have.
#[derive(Debug, Default)]
pub(crate) struct Canaries {
    pub(crate) worked: BTreeMap<(usize, ProbePoint), bool>,
    pub(crate) state: CanaryState,
}
