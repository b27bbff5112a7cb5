//! Where a part listens.

use crate::walk::Section;
use std::net::{Ipv4Addr, SocketAddr};

/// What a listen address must look like; names would need DNS, which the kill path does without.
pub const ADDRESS: &str = "a literal address and port, such as `127.0.0.1:7411`";

/// The key `listen` of a section, or this machine alone at `port`.
pub fn listen(section: &mut Section<'_>, port: u16) -> SocketAddr {
    section.parse("listen", ADDRESS).unwrap_or(loopback(port))
}

/// This machine alone.
#[must_use]
pub fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}
