//! Interfaces, listeners and routes: the kernel tells them without waiting.

use super::{few, unread};
use crate::texts::{each_line, text};
use host_core::kernel::{
    Table, addresses_v4, addresses_v6, listeners, nets as read_nets, routes_v4, routes_v6, socket,
};
use net_model::report::{Facts, Few, HostRoute, Net, Unknown};

/// Listeners and routes.
pub(super) fn seldom(facts: &mut Facts, unknown: &mut Vec<Unknown>) {
    let mut found = Vec::new();
    for table in Table::ALL {
        let path = format!("/proc/net/{}", table.file);
        let read = each_line(path, |line| found.extend(socket(table, line)));
        if read.is_none() {
            unknown.push(unread(&format!("listeners {}", table.file)));
        }
    }
    facts.listeners = few("listeners", listeners(found), unknown);
    facts.routes = few("routes", routes(), unknown);
}

fn routes() -> Vec<HostRoute> {
    let v4 = text("/proc/net/route").map(|text| routes_v4(&text));
    let v6 = text("/proc/net/ipv6_route").map(|text| routes_v6(&text));
    v4.into_iter().chain(v6).flatten().collect()
}

/// Interfaces with what went through them.
pub(super) fn nets() -> Few<Net> {
    let of = |path: &str| text(path).unwrap_or_default();
    let mut addresses = addresses_v4(&of("/proc/net/fib_trie"), &routes());
    addresses.extend(addresses_v6(&of("/proc/net/if_inet6")));
    let mut found = read_nets(&of("/proc/net/dev"));
    for net in &mut found {
        let state = text(format!("/sys/class/net/{}/operstate", net.name));
        // A tunnel has no carrier of its own and says `unknown` while it is up.
        net.up = state.is_some_and(|state| matches!(state.trim(), "up" | "unknown"));
        let own = addresses
            .iter()
            .filter(|(name, _)| name == net.name.as_str());
        net.addresses = Few::first_of(own.map(|(_, address)| *address)).0;
    }
    Few::first_of(found).0
}
