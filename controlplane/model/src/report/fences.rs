//! What a host holds closed, and where it stands on the mesh.

use super::{Few, Printable};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// What the host's own hand holds closed. A claim: what others see of the host is the proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FenceFacts {
    /// Whether its table is in the kernel.
    pub table: bool,
    /// Scopes it holds closed.
    #[serde(default, skip_serializing_if = "Few::is_empty")]
    pub closed: Few<Printable>,
    /// Containers and units it has frozen.
    #[serde(default, skip_serializing_if = "Few::is_empty")]
    pub frozen: Few<Printable>,
    /// What is left of the lease, in milliseconds; none when there is no lease.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_left_ms: Option<u64>,
}

/// Where the host stands on a mesh network, as its own daemon says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeshFacts {
    /// The daemon's state: `Running`, `NeedsLogin`.
    pub state: Printable,
    /// The node's stable id.
    pub id: Printable,
    /// Its name on the mesh.
    pub name: Printable,
    /// Its addresses.
    #[serde(default, skip_serializing_if = "Few::is_empty")]
    pub addresses: Few<IpAddr>,
    /// Its tags.
    #[serde(default, skip_serializing_if = "Few::is_empty")]
    pub tags: Few<Printable>,
    /// Networks it offers to carry.
    #[serde(default, skip_serializing_if = "Few::is_empty")]
    pub routes: Few<IpNet>,
    /// When its key ends, in milliseconds since 1970-01-01T00:00:00Z; none when never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_ends_ms: Option<u64>,
    /// Whether it takes in networks that others offer.
    #[serde(default)]
    pub takes_routes: bool,
    /// Whether it sends everything through another node.
    #[serde(default)]
    pub exit_node: bool,
    /// Whether it lets others in by the mesh's SSH.
    #[serde(default)]
    pub ssh: bool,
}
