//! Who is to join, and the token by which it does.

use kill_wire::Timestamp;
use net_model::{Dial, HostName, HostRoles, Secret, ZoneName};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

/// A host to be.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewHost {
    /// What it is called.
    pub name: HostName,
    /// Where it stands.
    pub zone: ZoneName,
    /// What it is for.
    pub roles: HostRoles,
    /// Who opens the connection.
    #[serde(default)]
    pub dial: Dial,
    /// Where it is called, and only where the control plane dials.
    #[serde(default)]
    pub address: Option<SocketAddr>,
}

/// By what a host may join, once.
#[derive(Clone, Debug)]
pub struct Ticket {
    /// Whom it was made for.
    pub host: NewHost,
    /// From then on it is good for nothing.
    pub expires: Timestamp,
    /// The token; nothing keeps it.
    pub token: Secret,
}
