//! Interfaces, sockets and routes of a host.

use super::{Few, Printable};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// One network interface; counters run since it was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Net {
    /// Its name.
    pub name: Printable,
    /// Whether it can carry packets now.
    pub up: bool,
    /// Its addresses with their prefixes.
    #[serde(default, skip_serializing_if = "Few::is_empty")]
    pub addresses: Few<IpNet>,
    /// Bytes received.
    pub rx_bytes: u64,
    /// Bytes sent.
    pub tx_bytes: u64,
    /// Packets received damaged.
    pub rx_errors: u64,
    /// Packets that could not be sent.
    pub tx_errors: u64,
    /// Packets received and thrown away.
    pub rx_dropped: u64,
    /// Packets thrown away instead of sent.
    pub tx_dropped: u64,
}

/// What a socket speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// A socket that waits for somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listener {
    /// What it speaks.
    pub protocol: Protocol,
    /// The address it is bound to; `0.0.0.0` and `::` are every address.
    pub address: IpAddr,
    /// Its port.
    pub port: u16,
    /// The user it belongs to.
    pub uid: u32,
}

/// One route of the host's main table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostRoute {
    /// Where to; `0.0.0.0/0` and `::/0` are everywhere else.
    pub to: IpNet,
    /// By which neighbour; none when it is on the link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<IpAddr>,
    /// Through which interface.
    pub interface: Printable,
    /// The lower is taken first.
    pub metric: u32,
}
