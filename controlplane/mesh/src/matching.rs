//! Whose a node is. A name alone proves nothing: a node gives itself its name.

use net_model::{HostName, MeshNode, Tier, ZoneName};
use std::net::IpAddr;

/// A host of the house, as far as the mesh is concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownHost {
    /// Its name.
    pub name: HostName,
    /// Where it stands.
    pub zone: ZoneName,
    /// How far that zone is trusted.
    pub tier: Tier,
    /// Addresses it was seen at, or is known to have, on the mesh.
    pub addresses: Vec<IpAddr>,
    /// The mesh's id for it that was bound to its certificate.
    pub stable_id: Option<String>,
}

/// What a node was found to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose<'a> {
    /// This host: by the id bound to its certificate, or by its address.
    Host(&'a KnownHost),
    /// Named like this host, and nothing else speaks for it.
    NameOnly(&'a KnownHost),
    /// It could be several hosts, or its address and its name point to different ones.
    Ambiguous,
    /// None of the house.
    Unknown,
}

impl<'a> Whose<'a> {
    /// The host, where that is certain enough to call the node by its name.
    #[must_use]
    pub const fn host(self) -> Option<&'a KnownHost> {
        match self {
            Self::Host(host) => Some(host),
            Self::NameOnly(_) | Self::Ambiguous | Self::Unknown => None,
        }
    }
}

/// Decides for one node of `all`. A host that two nodes could be is nobody's.
#[must_use]
pub fn whose<'a>(node: &MeshNode, all: &[MeshNode], hosts: &'a [KnownHost]) -> Whose<'a> {
    let found = alone(node, hosts);
    let Whose::Host(host) = found else {
        return found;
    };
    let same =
        |other: &&MeshNode| matches!(alone(other, hosts), Whose::Host(it) if it.name == host.name);
    if bound(node, host) || all.iter().filter(same).count() <= 1 {
        return found;
    }
    Whose::Ambiguous
}

/// Every host that it could be: the one its id is bound to, else those at its address and the one it is named like.
pub(crate) fn could_be<'a>(
    node: &'a MeshNode,
    hosts: &'a [KnownHost],
) -> impl Iterator<Item = &'a KnownHost> {
    let known = hosts.iter().any(|host| bound(node, host));
    hosts.iter().filter(move |host| match known {
        true => bound(node, host),
        false => at_address(node, host) || named_like(node, host),
    })
}

fn bound(node: &MeshNode, host: &KnownHost) -> bool {
    !node.id.is_empty() && host.stable_id.as_deref() == Some(&node.id)
}

fn alone<'a>(node: &MeshNode, hosts: &'a [KnownHost]) -> Whose<'a> {
    let mut bound = hosts.iter().filter(|host| bound(node, host));
    match (bound.next(), bound.next()) {
        (Some(host), None) => return Whose::Host(host),
        (Some(_), Some(_)) => return Whose::Ambiguous,
        (None, _) => {}
    }
    // A host whose id is known is never another node, whatever that one's address or name.
    let open = || hosts.iter().filter(|host| host.stable_id.is_none());
    let mut here = open().filter(|host| at_address(node, host));
    let named = hosts.iter().find(|host| named_like(node, host));
    match (here.next(), here.next(), named) {
        (Some(_), Some(_), _) => Whose::Ambiguous,
        (Some(host), None, Some(named)) if named.name != host.name => Whose::Ambiguous,
        (Some(host), None, _) => Whose::Host(host),
        (None, _, Some(named)) => Whose::NameOnly(named),
        (None, _, None) => Whose::Unknown,
    }
}

fn at_address(node: &MeshNode, host: &KnownHost) -> bool {
    let mut addresses = node.addresses.iter();
    addresses.any(|it| host.addresses.contains(it))
}

fn named_like(node: &MeshNode, host: &KnownHost) -> bool {
    let first = node.name.split('.').next().unwrap_or_default();
    first.eq_ignore_ascii_case(host.name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(name: &str, address: &str, id: Option<&str>) -> KnownHost {
        KnownHost {
            name: name.parse().unwrap(),
            zone: "red".parse().unwrap(),
            tier: Tier::Contained,
            addresses: address.parse().into_iter().collect(),
            stable_id: id.map(str::to_owned),
        }
    }

    fn node(id: &str, name: &str, address: &str) -> MeshNode {
        MeshNode {
            id: id.to_owned(),
            name: name.to_owned(),
            addresses: address.parse().into_iter().collect(),
            ..MeshNode::default()
        }
    }

    fn found(node: &MeshNode, hosts: &[KnownHost]) -> String {
        match whose(node, std::slice::from_ref(node), hosts) {
            Whose::Host(host) => host.name.to_string(),
            Whose::NameOnly(host) => format!("{}?", host.name),
            Whose::Ambiguous => "ambiguous".to_owned(),
            Whose::Unknown => "unknown".to_owned(),
        }
    }

    #[test]
    fn the_id_of_a_certificate_beats_address_and_name() {
        let hosts = [
            host("claw1", "100.64.0.3", Some("n1")),
            host("nas", "100.64.0.4", None),
        ];
        assert_eq!(found(&node("n1", "nas", "100.64.0.4"), &hosts), "claw1");
        // Another node that took the address and the name of a host whose id is known.
        assert_eq!(found(&node("n9", "claw1", "100.64.0.3"), &hosts), "claw1?");
    }

    #[test]
    fn a_name_alone_is_never_enough() {
        let hosts = [host("claw1", "100.64.0.3", None)];
        assert_eq!(found(&node("n1", "claw1", "100.64.0.9"), &hosts), "claw1?");
        assert_eq!(found(&node("n1", "other", "100.64.0.3"), &hosts), "claw1");
        assert_eq!(found(&node("n1", "other", "100.64.0.9"), &hosts), "unknown");
    }

    #[test]
    fn what_points_to_two_hosts_is_ambiguous() {
        let hosts = [
            host("claw1", "100.64.0.3", None),
            host("nas", "100.64.0.4", None),
        ];
        assert_eq!(found(&node("n1", "nas", "100.64.0.3"), &hosts), "ambiguous");
        let twins = [
            host("a1", "100.64.0.3", None),
            host("a2", "100.64.0.3", None),
        ];
        assert_eq!(found(&node("n1", "x", "100.64.0.3"), &twins), "ambiguous");
    }

    #[test]
    fn two_nodes_at_one_host_s_address_are_both_ambiguous() {
        let hosts = [host("claw1", "100.64.0.3", None)];
        let all = [
            node("n1", "claw1", "100.64.0.3"),
            node("n2", "x", "100.64.0.3"),
        ];
        for node in &all {
            assert_eq!(whose(node, &all, &hosts), Whose::Ambiguous);
        }
    }
}
