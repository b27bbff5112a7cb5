//! Which interface has which addresses: `/proc/net/fib_trie` with the routes, and `/proc/net/if_inet6`.

use super::v6;
use core::net::{IpAddr, Ipv4Addr};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use net_model::report::HostRoute;

/// The machine's IPv4 addresses by interface. The trie names addresses but no interface: an address belongs to the
/// one whose own network holds it.
#[must_use]
pub fn addresses_v4(fib_trie: &str, routes: &[HostRoute]) -> Vec<(String, IpNet)> {
    let mut found: Vec<(String, IpNet)> = Vec::new();
    let mut address: Option<Ipv4Addr> = None;
    for line in fib_trie.lines().map(str::trim) {
        if let Some(text) = line.strip_prefix("|-- ") {
            address = text.parse().ok();
        }
        let Some(own) = address.filter(|own| !own.is_loopback() && line == "/32 host LOCAL") else {
            continue;
        };
        let on_link = routes
            .iter()
            .filter(|route| route.via.is_none() && route.to.contains(&IpAddr::V4(own)))
            .max_by_key(|route| route.to.prefix_len());
        let entry = on_link.and_then(|route| {
            let net = Ipv4Net::new(own, route.to.prefix_len()).ok()?;
            Some((route.interface.to_string(), IpNet::V4(net)))
        });
        // The trie shows the main and the local table one after the other.
        found.extend(entry.filter(|entry| !found.contains(entry)));
    }
    found
}

/// The machine's IPv6 addresses by interface, of `/proc/net/if_inet6`, without link-local ones and loopback.
#[must_use]
pub fn addresses_v6(if_inet6: &str) -> Vec<(String, IpNet)> {
    let address = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let own = v6(fields.first()?)?;
        let prefix = u8::from_str_radix(fields.get(2)?, 16).ok()?;
        let net = Ipv6Net::new(own, prefix).ok()?;
        let wanted = !own.is_loopback() && !own.is_unicast_link_local();
        wanted.then(|| Some(((*fields.get(5)?).to_owned(), IpNet::V6(net))))?
    };
    if_inet6.lines().filter_map(address).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use net_model::report::Printable;

    #[test]
    fn an_ipv4_address_belongs_to_the_interface_whose_network_holds_it() {
        let trie = "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 0.0.0.0\n        /0 universe UNICAST\n     |-- 192.168.1.5\n        /32 host LOCAL\n     |-- 192.168.1.255\n        /32 link BROADCAST\n     |-- 127.0.0.1\n        /32 host LOCAL\nLocal:\n     |-- 192.168.1.5\n        /32 host LOCAL\n";
        let route = |to: &str, via: Option<&str>, name: &str| HostRoute {
            to: to.parse().unwrap(),
            via: via.map(|via| via.parse().unwrap()),
            interface: Printable::clipped(name),
            metric: 0,
        };
        let routes = [
            route("0.0.0.0/0", Some("192.168.1.1"), "eth9"),
            route("192.168.0.0/16", None, "eth1"),
            route("192.168.1.0/24", None, "eth0"),
        ];
        let found = addresses_v4(trie, &routes);
        assert_eq!(
            found,
            [("eth0".to_owned(), "192.168.1.5/24".parse().unwrap())]
        );
    }

    #[test]
    fn ipv6_addresses_that_reach_further_than_the_link_are_named() {
        let text = "00000000000000000000000000000001 01 80 10 80       lo\n20010db8000000000000000000000005 02 40 00 80     eth0\nfe800000000000000000000000000005 02 40 20 80     eth0\nshort 02\n";
        let found = addresses_v6(text);
        assert_eq!(
            found,
            [("eth0".to_owned(), "2001:db8::5/64".parse().unwrap())]
        );
    }
}
