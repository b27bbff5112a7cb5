//! `/proc/net/{tcp,tcp6,udp,udp6}`: who waits for somebody.

use super::v4;
use core::net::{IpAddr, Ipv6Addr};
use net_model::report::{Listener, Protocol};

/// Which table of sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table {
    /// The file below `/proc/net`.
    pub file: &'static str,
    /// What its sockets speak.
    pub protocol: Protocol,
    /// The state that a waiting socket is in: `TCP_LISTEN`, and for UDP `TCP_CLOSE`, which is "not connected".
    waiting: &'static str,
}

impl Table {
    /// All there are.
    pub const ALL: [Self; 4] = [
        Self::of("tcp", Protocol::Tcp, "0A"),
        Self::of("tcp6", Protocol::Tcp, "0A"),
        Self::of("udp", Protocol::Udp, "07"),
        Self::of("udp6", Protocol::Udp, "07"),
    ];

    const fn of(file: &'static str, protocol: Protocol, waiting: &'static str) -> Self {
        Self {
            file,
            protocol,
            waiting,
        }
    }
}

/// The waiting socket of one line of a table; none for any other, and for the heading.
#[must_use]
pub fn socket(table: Table, line: &str) -> Option<Listener> {
    // sl local rem st tx:rx tr:when retrnsmt uid
    let mut fields = line.split_whitespace();
    let local = fields.nth(1)?;
    let state = fields.nth(1)?;
    let uid = fields.nth(3)?.parse().ok()?;
    let (address, port) = local.split_once(':')?;
    let address = match address.len() {
        8 => IpAddr::V4(v4(address)?),
        32 => IpAddr::V6(words(address)?),
        _ => return None,
    };
    (state == table.waiting).then_some(Listener {
        protocol: table.protocol,
        address,
        port: u16::from_str_radix(port, 16).ok()?,
        uid,
    })
}

/// Four numbers of this machine, each four bytes of the address.
fn words(hex: &str) -> Option<Ipv6Addr> {
    let mut bytes = [0_u8; 16];
    for (at, place) in bytes.chunks_mut(4).enumerate() {
        let word = hex.get(at * 8..at * 8 + 8)?;
        place.copy_from_slice(&u32::from_str_radix(word, 16).ok()?.to_ne_bytes());
    }
    Some(bytes.into())
}

/// Each listener once; those that others can reach come first.
#[must_use]
pub fn listeners(mut found: Vec<Listener>) -> Vec<Listener> {
    found.sort_by_key(|listener| (listener.address.is_loopback(), *listener));
    found.dedup();
    found
}

#[cfg(test)]
#[cfg(target_endian = "little")]
mod tests {
    use super::*;

    const HEAD: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

    fn sockets(table: Table, text: &str) -> Vec<Listener> {
        text.lines()
            .filter_map(|line| socket(table, line))
            .collect()
    }

    #[test]
    fn waiting_sockets_are_found_and_open_connections_are_not() {
        let text = format!(
            "{HEAD}   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 1 1\n\
             \x20  1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2 1\n\
             \x20  2: 0100007F:1F90 0100007F:C000 01 00000000:00000000 00:00000000 00000000  1000        0 3 1\n  3: bad\n"
        );
        let found =
            listeners([sockets(Table::ALL[0], &text), sockets(Table::ALL[0], &text)].concat());
        let shown: Vec<String> = found
            .iter()
            .map(|l| format!("{}:{} {}", l.address, l.port, l.uid))
            .collect();
        assert_eq!(shown, ["0.0.0.0:22 0", "127.0.0.1:8080 1000"]);
    }

    #[test]
    fn an_ipv6_address_is_four_words() {
        let text = format!(
            "{HEAD}   0: 00000000000000000000000001000000:0035 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000   101        0 5 2\n"
        );
        let found = sockets(Table::ALL[3], &text);
        assert_eq!(
            (found[0].address.to_string().as_str(), found[0].port),
            ("::1", 53)
        );
    }
}
