//! `/proc/net/route` and `/proc/net/ipv6_route`: the main table.

use super::{v4, v6};
use core::net::IpAddr;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use net_model::report::{HostRoute, Printable};

/// `RTF_UP`, `RTF_REJECT`, `RTF_LOCAL`, `RTF_ANYCAST` of the kernel's `route.h` and `ipv6_route.h`.
const UP: u32 = 1;
const NOT_A_WAY: u32 = 0x200 | 0x8000_0000 | 0x0010_0000;

/// Reads `/proc/net/route`.
#[must_use]
pub fn routes_v4(text: &str) -> Vec<HostRoute> {
    text.lines().skip(1).filter_map(route_v4).collect()
}

fn route_v4(line: &str) -> Option<HostRoute> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let flags = u32::from_str_radix(fields.get(3)?, 16).ok()?;
    if flags & UP == 0 || flags & NOT_A_WAY != 0 {
        return None;
    }
    let to = Ipv4Net::with_netmask(v4(fields.get(1)?)?, v4(fields.get(7)?)?).ok()?;
    let via = v4(fields.get(2)?)?;
    Some(HostRoute {
        to: IpNet::V4(to),
        via: (!via.is_unspecified()).then_some(IpAddr::V4(via)),
        interface: Printable::clipped(fields.first()?),
        metric: fields.get(6)?.parse().ok()?,
    })
}

/// Reads `/proc/net/ipv6_route`, without what every interface has: its own addresses, link-local and multicast.
#[must_use]
pub fn routes_v6(text: &str) -> Vec<HostRoute> {
    text.lines().filter_map(route_v6).collect()
}

fn route_v6(line: &str) -> Option<HostRoute> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let flags = u32::from_str_radix(fields.get(8)?, 16).ok()?;
    let interface = *fields.get(9)?;
    if flags & UP == 0 || flags & NOT_A_WAY != 0 || interface == "lo" {
        return None;
    }
    let prefix = u8::from_str_radix(fields.get(1)?, 16).ok()?;
    let to = Ipv6Net::new(v6(fields.first()?)?, prefix).ok()?;
    if to.addr().is_multicast() || to.addr().is_unicast_link_local() {
        return None;
    }
    let via = v6(fields.get(4)?)?;
    Some(HostRoute {
        to: IpNet::V6(to),
        via: (!via.is_unspecified()).then_some(IpAddr::V6(via)),
        interface: Printable::clipped(interface),
        metric: u32::from_str_radix(fields.get(5)?, 16).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(route: &HostRoute) -> String {
        let via = route
            .via
            .map_or_else(|| "link".to_owned(), |via| via.to_string());
        format!("{} {via} {} {}", route.to, route.interface, route.metric)
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn the_main_table_of_ipv4_is_read() {
        let text = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n\
            eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n\
            eth0\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n\
            *\t000A0A0A\t00000000\t0201\t0\t0\t0\t00FFFFFF\t0\t0\t0\nx\t0\n";
        let found: Vec<String> = routes_v4(text).iter().map(shown).collect();
        assert_eq!(
            found,
            [
                "0.0.0.0/0 192.168.1.1 eth0 100",
                "192.168.1.0/24 link eth0 0"
            ]
        );
    }

    #[test]
    fn the_main_table_of_ipv6_is_read_without_what_is_everywhere() {
        let zeros = "0".repeat(32);
        let text = format!(
            "{zeros} 00 {zeros} 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003 eth0\n\
             fe800000000000000000000000000000 40 {zeros} 00 {zeros} 00000100 00000001 00000000 00000001 eth0\n\
             20010db8000000000000000000000000 40 {zeros} 00 {zeros} 00000100 00000001 00000000 00000001 eth0\n\
             {zeros} 00 {zeros} 00 {zeros} ffffffff 00000001 00000000 00200200 lo\nzz\n"
        );
        let found: Vec<String> = routes_v6(&text).iter().map(shown).collect();
        assert_eq!(
            found,
            ["::/0 fe80::1 eth0 1024", "2001:db8::/64 link eth0 256"]
        );
    }
}
