//! The table as text for `nft`: made once, changed afterwards only by the elements of its sets.
//!
//! **Invariant:** a table whose sets are empty lets nothing of a fenced way through but the flows that always stay: it
//! is loaded closed before the network is up, and a lease that is not renewed ends in the kernel alone.
//!
//! No rule says `accept`: a packet that one way lets through may still be another's.

use crate::element::{Element, Presence, Set};
use crate::plan::{Flow, Interface, Plan, Side, Way};
use ipnet::IpNet;
use std::net::IpAddr;

/// Packets of the fenced side, and packets to it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Towards {
    Out,
    In,
}

/// Replaces the table in one transaction. Priority -300 is before connection tracking and before any other table's rules;
/// a drop there is final.
pub(crate) fn table(plan: &Plan, elements: &[Element]) -> String {
    let name = plan.table.as_str();
    let mut text = format!("table inet {name}\ndelete table inet {name}\ntable inet {name} {{\n");
    for set in Set::ALL {
        let kind = match set {
            Set::Cut4 | Set::Lease4 => "ipv4_addr",
            Set::Cut6 | Set::Lease6 => "ipv6_addr",
        };
        line(
            &mut text,
            1,
            &format!("set {} {{ type {kind}; flags timeout; }}", set.name()),
        );
    }
    for (at, way) in plan.ways.iter().enumerate() {
        line(
            &mut text,
            1,
            &format!("counter way{at} {{ comment \"{}\"\n  }}", way.name),
        );
    }
    for (at, way) in plan.ways.iter().enumerate() {
        for towards in [Towards::Out, Towards::In] {
            chain(&mut text, at, way, towards);
        }
    }
    hooks(&mut text, plan);
    text.push_str("}\n");
    text.push_str(&changes(plan, elements));
    text
}

/// The elements alone, in one transaction: added so that they can be deleted whether they were there or not, then added
/// anew where they must be there.
pub(crate) fn changes(plan: &Plan, elements: &[Element]) -> String {
    let mut text = String::new();
    let table = plan.table.as_str();
    for element in elements {
        let (set, key) = (element.set.name(), element.key);
        line(
            &mut text,
            0,
            &format!("add element inet {table} {set} {{ {key} }}"),
        );
        line(
            &mut text,
            0,
            &format!("delete element inet {table} {set} {{ {key} }}"),
        );
        if let Presence::Present(timeout) = element.there {
            let timeout = timeout.map_or(String::new(), |left| {
                format!(" timeout {}ms", left.as_millis().max(1))
            });
            line(
                &mut text,
                0,
                &format!("add element inet {table} {set} {{ {key}{timeout} }}"),
            );
        }
    }
    text
}

fn chain(text: &mut String, at: usize, way: &Way, towards: Towards) {
    let (word, own, other) = match towards {
        Towards::Out => ("from", "saddr", "daddr"),
        Towards::In => ("to", "daddr", "saddr"),
    };
    line(text, 1, &format!("chain way{at}_{word} {{"));
    for rule in neighbours(&way.side, towards) {
        line(text, 2, rule);
    }
    for flow in &way.flows {
        for rule in flow_rules(way, flow, towards, own, other) {
            line(text, 2, &rule);
        }
    }
    for (set, verdict) in [("cut", "drop"), ("lease", "return")] {
        for mask in masks(&way.nets) {
            let (family, digit) = match mask {
                IpAddr::V4(_) => ("ip", 4),
                IpAddr::V6(_) => ("ip6", 6),
            };
            let count = match verdict {
                "drop" => format!("counter name way{at} "),
                _ => String::new(),
            };
            line(
                text,
                2,
                &format!("{family} {own} & {mask} @{set}{digit} {count}{verdict}"),
            );
        }
    }
    line(text, 2, &format!("counter name way{at} drop"));
    line(text, 1, "}");
}

/// What keeps addresses alive through a long cut, on the wire alone: without it nobody could ask for proof, and a restore
/// would find a host without an address. None of it is routed.
fn neighbours(side: &Side, towards: Towards) -> Vec<&'static str> {
    let mut rules = vec![
        "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit, nd-router-advert } ip6 hoplimit 255 return",
    ];
    rules.extend(match (side, towards) {
        (Side::Zone(_), Towards::Out) => [
            "udp sport 68 udp dport 67 fib daddr type { local, broadcast } return",
            "udp sport 546 udp dport 547 fib daddr type { local, multicast } return",
        ],
        (Side::Host, Towards::Out) => [
            "ip daddr 255.255.255.255 udp sport 68 udp dport 67 return",
            "ip6 daddr ff02::1:2 udp sport 546 udp dport 547 return",
        ],
        (Side::Zone(_), Towards::In) => [
            "udp sport 67 udp dport 68 fib saddr type local return",
            "udp sport 547 udp dport 546 fib saddr type local return",
        ],
        (Side::Host, Towards::In) => [
            "udp sport 67 udp dport 68 return",
            "udp sport 547 udp dport 546 return",
        ],
    });
    rules
}

/// Without connection tracking: whoever may not open a connection may send everything but the packet that opens one.
fn flow_rules(way: &Way, flow: &Flow, towards: Towards, own: &str, other: &str) -> Vec<String> {
    const ANSWERS: &str = "tcp flags & (fin | syn | rst | ack) != syn";
    let peer = flow.peer();
    let port = port_rule(flow, towards);
    let family = match peer {
        IpAddr::V4(_) => "ip",
        IpAddr::V6(_) => "ip6",
    };
    let opens = matches!(
        (flow, towards),
        (Flow::From(..), Towards::In) | (Flow::To(..), Towards::Out)
    );
    let flags = if opens {
        String::new()
    } else {
        format!(" {ANSWERS}")
    };
    let mut rules = Vec::new();
    for net in way.nets.iter().filter(|net| same_family(net, peer)) {
        let (mask, key) = (net.netmask(), net.network());
        let own = match way.side {
            Side::Host => String::new(),
            Side::Zone(_) => format!("{family} {own} & {mask} == {key} "),
        };
        rules.push(format!("{own}{family} {other} {peer} {port}{flags} return"));
    }
    rules
}

fn port_rule(flow: &Flow, towards: Towards) -> String {
    let (port, side) = match (flow, towards) {
        (Flow::From(_, port), Towards::In) | (Flow::To(_, port), Towards::Out) => (port, "dport"),
        (Flow::From(_, port), Towards::Out) | (Flow::To(_, port), Towards::In) => (port, "sport"),
    };
    format!("tcp {side} {port}")
}

const fn same_family(net: &IpNet, address: IpAddr) -> bool {
    matches!(
        (net, address),
        (IpNet::V4(_), IpAddr::V4(_)) | (IpNet::V6(_), IpAddr::V6(_))
    )
}

/// Each length of prefix once.
fn masks(nets: &[IpNet]) -> Vec<IpAddr> {
    let mut all: Vec<IpAddr> = nets.iter().map(IpNet::netmask).collect();
    all.sort();
    all.dedup();
    all
}

/// Where the ways are hung in: what comes in is met before it is tracked or routed, what goes out before it leaves.
fn hooks(text: &mut String, plan: &Plan) {
    for (hook, key, word) in [
        ("prerouting", "iifname", "from"),
        ("forward", "oifname", "to"),
        ("output", "oifname", "to"),
    ] {
        line(text, 1, &format!("chain {hook} {{"));
        line(
            text,
            2,
            &format!("type filter hook {hook} priority -300; policy accept;"),
        );
        for (at, way) in plan.ways.iter().enumerate() {
            match &way.side {
                Side::Zone(interfaces) => {
                    let list = quoted(interfaces);
                    line(text, 2, &format!("{key} {{ {list} }} jump way{at}_{word}"));
                    if hook == "forward" {
                        // Again, for what another table's rules have brought here past the first hook.
                        line(text, 2, &format!("iifname {{ {list} }} jump way{at}_from"));
                    }
                }
                Side::Host => match hook {
                    "prerouting" => line(text, 2, &format!("iifname != \"lo\" jump way{at}_to")),
                    "output" => line(text, 2, &format!("oifname != \"lo\" jump way{at}_from")),
                    _ => {
                        line(text, 2, &format!("jump way{at}_from"));
                        line(text, 2, &format!("jump way{at}_to"));
                    }
                },
            }
        }
        line(text, 1, "}");
    }
}

fn quoted(interfaces: &[Interface]) -> String {
    let all: Vec<String> = interfaces
        .iter()
        .map(|interface| format!("\"{}\"", interface.as_str()))
        .collect();
    all.join(", ")
}

fn line(text: &mut String, depth: usize, words: &str) {
    text.push_str(&"  ".repeat(depth));
    text.push_str(words);
    text.push('\n');
}
