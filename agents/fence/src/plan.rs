//! What a fence can close, checked once: zones behind a router, or the host itself.

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use kill_wire::Name;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::str::FromStr;

/// Most ways of one fence.
pub const MOST_WAYS: usize = 32;
/// Most prefixes, interfaces or flows of one way.
pub const MOST_ENTRIES: usize = 32;

/// What one fence is made of.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Name of the table of its own, in the family `inet`.
    pub table: TableName,
    /// The program `nft`.
    pub nft: PathBuf,
    /// What it can close, each by itself.
    pub ways: Vec<Way>,
}

/// One thing that is closed and opened as a whole.
#[derive(Clone, Debug)]
pub struct Way {
    /// The zone, or the host.
    pub name: Name,
    /// What it stands between.
    pub side: Side,
    /// Prefixes that may be let through; whatever comes from another address never is. Everything, for a host.
    pub nets: Vec<IpNet>,
    /// What stays open through every cut: the way of orders and of proof.
    pub flows: Vec<Flow>,
}

/// Where a way is closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Side {
    /// A zone behind these interfaces of a router.
    Zone(Vec<Interface>),
    /// This host: what it sends, what it forwards for its containers, what it is sent; loopback stays.
    Host,
}

/// TCP that stays open, opened by one side only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// This address may connect to the port on the fenced side.
    From(IpAddr, u16),
    /// The fenced side may connect to this address and port.
    To(IpAddr, u16),
}

impl Flow {
    /// The address on the free side.
    #[must_use]
    pub const fn peer(&self) -> IpAddr {
        match self {
            Self::From(peer, _) | Self::To(peer, _) => *peer,
        }
    }
}

/// Name of a table: 1 to 32 of `a-z 0-9 _`, starting with a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableName(String);

/// Name of a network interface: 1 to 15 of `A-Z a-z 0-9 . _ -` (the kernel's bound).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Interface(String);

/// A text that cannot be such a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not such a name")]
pub struct NotAName(String);

impl TableName {
    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for TableName {
    fn default() -> Self {
        Self("portcullis".to_owned())
    }
}

impl FromStr for TableName {
    type Err = NotAName;
    fn from_str(text: &str) -> Result<Self, NotAName> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        named(text, 32, plain)
            .filter(|text| text.starts_with(|c: char| c.is_ascii_lowercase()))
            .map(Self)
            .ok_or_else(|| NotAName(text.chars().take(48).collect()))
    }
}

impl Interface {
    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Interface {
    type Err = NotAName;
    fn from_str(text: &str) -> Result<Self, NotAName> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        named(text, 15, plain)
            .map(Self)
            .ok_or_else(|| NotAName(text.chars().take(48).collect()))
    }
}

fn named(text: &str, most: usize, plain: impl Fn(char) -> bool) -> Option<String> {
    let fits = (1..=most).contains(&text.len()) && text.chars().all(plain);
    fits.then(|| text.to_owned())
}

/// Both families whole: what a host may send to.
#[must_use]
pub fn everything() -> Vec<IpNet> {
    vec![
        IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::UNSPECIFIED, 0)),
        IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 0)),
    ]
}

impl Plan {
    /// Every mistake, each in a sentence; none when the plan can be carried out.
    #[must_use]
    pub fn mistakes(&self) -> Vec<String> {
        let mut found = Vec::new();
        if self.ways.is_empty() || self.ways.len() > MOST_WAYS {
            found.push(format!("a fence has 1 to {MOST_WAYS} zones and hosts"));
        }
        let mut interfaces = BTreeSet::new();
        for way in &self.ways {
            found.extend(way.mistakes());
            if let Side::Zone(own) = &way.side {
                for interface in own {
                    if !interfaces.insert(interface) {
                        found.push(format!(
                            "the interface `{}` stands in two zones",
                            interface.as_str()
                        ));
                    }
                }
            }
        }
        for (at, way) in self.ways.iter().enumerate() {
            for other in self.ways.iter().skip(at + 1) {
                if way.name == other.name {
                    found.push(format!("`{}` stands here twice", way.name));
                }
                if way.overlaps(other) {
                    // One element of a set then meant both.
                    found.push(format!(
                        "prefixes of `{}` and `{}` overlap",
                        way.name, other.name
                    ));
                }
            }
        }
        found
    }
}

impl Way {
    fn mistakes(&self) -> Vec<String> {
        let mut found = Vec::new();
        let name = &self.name;
        let bounds = 1..=MOST_ENTRIES;
        if !bounds.contains(&self.nets.len()) {
            found.push(format!("`{name}` needs 1 to {MOST_ENTRIES} prefixes"));
        }
        if let Side::Zone(interfaces) = &self.side
            && !bounds.contains(&interfaces.len())
        {
            found.push(format!("`{name}` needs 1 to {MOST_ENTRIES} interfaces"));
        }
        if self.flows.len() > MOST_ENTRIES {
            found.push(format!("`{name}` may keep {MOST_ENTRIES} flows"));
        }
        for (at, net) in self.nets.iter().enumerate() {
            let mut others = self.nets.iter().skip(at + 1);
            if others.any(|other| overlap(net, other)) {
                found.push(format!("prefixes of `{name}` overlap: {net}"));
            }
        }
        found
    }

    fn overlaps(&self, other: &Self) -> bool {
        if self.side == Side::Host || other.side == Side::Host {
            return self.side == other.side;
        }
        let mut all = self.nets.iter();
        all.any(|net| other.nets.iter().any(|of| overlap(net, of)))
    }

    /// Whether an address is on the free side of a flow that stays open.
    #[must_use]
    pub fn keeps(&self, peer: IpAddr) -> bool {
        self.flows.iter().any(|flow| flow.peer() == peer)
    }
}

fn overlap(a: &IpNet, b: &IpNet) -> bool {
    a.contains(&b.network()) || b.contains(&a.network())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str, interface: &str, net: &str) -> Way {
        Way {
            name: name.parse().unwrap(),
            side: Side::Zone(vec![interface.parse().unwrap()]),
            nets: vec![net.parse().unwrap()],
            flows: Vec::new(),
        }
    }

    fn plan(ways: Vec<Way>) -> Plan {
        Plan {
            table: TableName::default(),
            nft: "nft".into(),
            ways,
        }
    }

    #[test]
    fn zones_that_share_an_interface_a_prefix_or_a_name_are_mistakes() {
        let red = || zone("red", "vlan30", "10.0.30.0/24");
        for (other, words) in [
            (zone("iot", "vlan30", "10.0.50.0/24"), "two zones"),
            (zone("iot", "vlan50", "10.0.0.0/16"), "overlap"),
            (zone("red", "vlan50", "10.0.50.0/24"), "twice"),
        ] {
            let found = plan(vec![red(), other]).mistakes();
            assert!(found.iter().any(|it| it.contains(words)), "{found:?}");
        }
        assert!(
            plan(vec![red(), zone("iot", "vlan50", "fd00::/64")])
                .mistakes()
                .is_empty()
        );
        assert!(!plan(Vec::new()).mistakes().is_empty());
    }

    #[test]
    fn names_that_could_say_more_than_a_name_are_none() {
        for bad in ["", "a b", "x;flush", "1st", "Ab", "\"", "a-b"] {
            assert!(bad.parse::<TableName>().is_err(), "{bad}");
        }
        for bad in ["", "a b", "vlan\"30", "sixteen-letters-", "a/b", "v*"] {
            assert!(bad.parse::<Interface>().is_err(), "{bad}");
        }
    }
}
