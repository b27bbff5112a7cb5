//! Other kill switches of the house, and ways past the gateway that a cut must have closed.

use crate::keys;
use crate::listen::ADDRESS;
use crate::reading::Reading;
use crate::walk::Section;
use kill_wire::{Scope, VerifyingKey};
use std::net::SocketAddr;

/// Another kill switch of this house.
#[derive(Clone, Debug)]
pub struct PeerWish {
    /// What it is called here.
    pub name: String,
    /// Where it listens.
    pub address: SocketAddr,
    /// Its key.
    pub key: VerifyingKey,
}

/// A way past the gateway, seen from one host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectWish {
    /// What replies call it.
    pub name: String,
    /// What closes it.
    pub scope: Scope,
    /// The node agent that looks.
    pub via: SocketAddr,
    /// What it tries to reach.
    pub address: SocketAddr,
}

pub(crate) fn peer(mut section: Section<'_>, reading: &mut Reading<'_>) -> Option<PeerWish> {
    let name = name(
        &mut section,
        "what the other kill switch is called, such as `attic`",
    );
    let address = section.need_parsed::<SocketAddr>("address", ADDRESS);
    let key = section.key("key_file");
    let file = section.need("key_file", "the path of a file with its public key");
    section.finish();
    let key = keys::read(&key, &file?, reading);
    Some(PeerWish {
        name: name?,
        address: address?,
        key: key?,
    })
}

pub(crate) fn direct(mut section: Section<'_>) -> Option<DirectWish> {
    let name = name(
        &mut section,
        "what replies call this way, such as `openai-v4`",
    );
    let scope = section.need_parsed::<Scope>("scope", "the scope that closes it, such as `CLOUD`");
    let via = section.need_parsed::<SocketAddr>("via", ADDRESS);
    let address = section.need_parsed::<SocketAddr>("address", ADDRESS);
    section.finish();
    Some(DirectWish {
        name: name?,
        scope: scope?,
        via: via?,
        address: address?,
    })
}

/// A short word that can stand in a reply.
fn name(section: &mut Section<'_>, expected: &str) -> Option<String> {
    let name = section.need("name", expected)?;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-');
    if (1..=24).contains(&name.len()) && name.chars().all(plain) {
        return Some(name);
    }
    section.note("name", "expected 1 to 24 of a-z, 0-9, `.`, `-`");
    None
}
