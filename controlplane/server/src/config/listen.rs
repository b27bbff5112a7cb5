//! Where a part listens.

use super::walk::Section;
use std::net::{Ipv4Addr, SocketAddr};

/// What a listen address must look like; names would need DNS, which the kill path does without.
pub(super) const ADDRESS: &str = "a literal address and port, such as `127.0.0.1:7411`";

/// The key `listen` of a section, or this machine alone at `port`.
pub(super) fn listen(section: &mut Section<'_>, port: u16) -> SocketAddr {
    section.parse("listen", ADDRESS).unwrap_or(loopback(port))
}

/// This machine alone.
pub(super) fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}
