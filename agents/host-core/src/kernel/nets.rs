//! `/proc/net/dev`: what went through each interface.

use net_model::report::{Few, Net, Printable};

/// Reads `/proc/net/dev`. Whether an interface is up, and its addresses, stand elsewhere. Loopback is left out.
#[must_use]
pub fn nets(dev: &str) -> Vec<Net> {
    dev.lines()
        .filter_map(net)
        .filter(|net| net.name.as_str() != "lo")
        .collect()
}

fn net(line: &str) -> Option<Net> {
    let (name, counters) = line.split_once(':')?;
    let counters: Vec<u64> = counters
        .split_whitespace()
        .map(str::parse)
        .collect::<Result<_, _>>()
        .ok()?;
    // Receive: bytes packets errs drop fifo frame compressed multicast; transmit: the same order from the ninth on.
    let at = |place: usize| counters.get(place).copied();
    Some(Net {
        name: Printable::clipped(name.trim()),
        up: false,
        addresses: Few::default(),
        rx_bytes: at(0)?,
        tx_bytes: at(8)?,
        rx_errors: at(2)?,
        tx_errors: at(10)?,
        rx_dropped: at(3)?,
        tx_dropped: at(11)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_read_by_their_place() {
        let text = "Inter-|   Receive                                                |  Transmit\n face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n\
            lo: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n  eth0: 100 2 3 4 0 0 0 0 900 8 7 6 0 0 0 0\nbad: 1 2\n";
        let found = nets(text);
        assert_eq!(found.len(), 1);
        let net = &found[0];
        assert_eq!(
            (net.name.as_str(), net.rx_bytes, net.tx_bytes),
            ("eth0", 100, 900)
        );
        assert_eq!(
            (net.rx_errors, net.rx_dropped, net.tx_errors, net.tx_dropped),
            (3, 4, 7, 6)
        );
    }
}
