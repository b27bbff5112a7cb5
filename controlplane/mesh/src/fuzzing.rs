//! What reads the answers of others, as it is, for the fuzzers in `tests/fuzz`: no other build has this module.

use crate::control::{devices, nodes};
use crate::local::{LocalApi, Prefs, Status, WhoIs};
use crate::read::{self, NotUnderstood};
use crate::whois::{Visitor, Whois};
use net_model::MeshNode;
use std::net::{IpAddr, Ipv4Addr};

/// What the service of this machine says of the mesh.
///
/// # Errors
/// It is no status.
pub fn status(answer: &[u8]) -> Result<Status, NotUnderstood> {
    Status::read(answer)
}

/// What it says of itself.
///
/// # Errors
/// It is none.
pub fn prefs(answer: &[u8]) -> Result<Prefs, NotUnderstood> {
    read::json(answer)
}

/// Who it says is behind an address, and as whom that one is let in under `capability`, if at all.
#[must_use]
pub fn visitor(answer: &[u8], capability: &str) -> Option<(WhoIs, Option<Visitor>)> {
    let who = WhoIs::read(answer).ok()?;
    let asked = Whois::new(LocalApi::at(LocalApi::usual()), capability);
    let at = IpAddr::V4(Ipv4Addr::new(100, 64, 0, 8));
    let visitor = asked.decided(at, Ok(who.clone())).ok();
    Some((who, visitor))
}

/// The nodes that a coordination server lists in its older form (`/api/v1`) or its newer one, and how many cannot be read.
///
/// # Errors
/// It is no list.
pub fn listed(older: bool, answer: &[u8]) -> Result<(Vec<MeshNode>, u32), NotUnderstood> {
    if older {
        nodes::read(answer)
    } else {
        devices::read(answer)
    }
}

/// For each key for joining of an older server, what ends it, as far as it lets such nodes in.
///
/// # Errors
/// It is no list.
pub fn older_keys(answer: &[u8], tags: &[String]) -> Result<Vec<String>, NotUnderstood> {
    let keys = nodes::join_keys(answer)?.into_iter();
    let ours = keys.filter(|key| key.lets_in(tags));
    Ok(ours.map(|key| key.to_expire().to_string()).collect())
}

/// The ids of a newer server's keys, each of which becomes part of a path.
///
/// # Errors
/// It is no list, or an id could not stand in a path.
pub fn newer_keys(answer: &[u8]) -> Result<Vec<String>, NotUnderstood> {
    devices::key_ids(answer)
}

/// Whether one of its keys lets such nodes in.
///
/// # Errors
/// It is no key.
pub fn newer_key(answer: &[u8], tags: &[String]) -> Result<bool, NotUnderstood> {
    devices::lets_in(answer, tags)
}
