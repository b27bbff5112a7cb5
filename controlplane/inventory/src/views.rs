//! What a host claims beside what was seen of it, and whether both agree. A cut counts as proven only by what was seen.

use kill_wire::Reached;
use net_model::report::Facts;
use net_model::{Dial, HostLatest, HostName, ProbeTarget, Zone};
use serde::Serialize;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

/// A clock that is off by no more is right.
const CLOCK_MS: u64 = 60_000;

/// One thing, as claimed and as seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pair {
    /// What it is about.
    pub what: &'static str,
    /// What the host says.
    pub claimed: String,
    /// What the house saw by itself, or by other hosts.
    pub seen: String,
    /// Whether both agree; none where one of them is not known.
    pub agrees: Option<bool>,
}

/// Everything that both sides say something of. `others` holds the newest canary results of the other hosts.
#[must_use]
pub fn pairs(
    latest: &HostLatest,
    facts: &Facts,
    zone: Option<&Zone>,
    others: &BTreeMap<HostName, Facts>,
) -> Vec<Pair> {
    let mut all = vec![address(latest, facts), clock(latest)];
    all.extend(zone.map(|zone| place(latest, facts, zone)));
    all.push(doors(latest, facts, others));
    all.push(reports(latest));
    all
}

fn address(latest: &HostLatest, facts: &Facts) -> Pair {
    let address = latest.seen.address;
    let mine: Vec<_> = facts.nets.iter().flat_map(|net| &net.addresses).collect();
    let claimed: Vec<String> = mine.iter().map(|net| net.addr().to_string()).collect();
    let known = !mine.is_empty();
    Pair {
        what: "address",
        claimed: said(claimed),
        seen: match latest.seen.dial {
            Dial::In => format!("{address}, dialled by the house"),
            Dial::Out => format!("{address}, dialled the house"),
        },
        // What comes by the loopback comes from this machine itself.
        agrees: known
            .then(|| address.is_loopback() || mine.iter().any(|net| net.addr() == address)),
    }
}

fn clock(latest: &HostLatest) -> Pair {
    let (claimed, seen) = (latest.claimed_at, latest.seen.at);
    let off = claimed.millis().abs_diff(seen.millis());
    Pair {
        what: "clock",
        claimed: claimed.to_string(),
        seen: seen.to_string(),
        agrees: Some(off <= CLOCK_MS),
    }
}

fn place(latest: &HostLatest, facts: &Facts, zone: &Zone) -> Pair {
    let mine = facts
        .nets
        .iter()
        .filter(|net| net.up)
        .flat_map(|net| &net.addresses);
    let outside: Vec<String> = mine
        .map(|net| net.addr())
        .filter(|address| !address.is_loopback() && !link_local(*address) && !zone.holds(*address))
        .map(|address| address.to_string())
        .collect();
    let seen = zone.holds(latest.seen.address) || latest.seen.address.is_loopback();
    Pair {
        what: "zone",
        claimed: if outside.is_empty() {
            format!("every address lies in {}", zone.name)
        } else {
            format!("also stands outside {}: {}", zone.name, outside.join(", "))
        },
        seen: format!(
            "{} in {}",
            if seen {
                "connects from"
            } else {
                "connects from an address that is not"
            },
            zone.name
        ),
        agrees: Some(seen && outside.is_empty()),
    }
}

/// What it says it listens on, beside what others reached there.
fn doors(latest: &HostLatest, facts: &Facts, others: &BTreeMap<HostName, Facts>) -> Pair {
    let open = facts
        .listeners
        .iter()
        .filter(|it| !it.address.is_loopback());
    let claimed: Vec<u16> = open.map(|it| it.port).collect();
    let mut reached: Vec<(u16, &HostName)> = Vec::new();
    for (other, facts) in others.iter().filter(|(other, _)| **other != latest.host) {
        for canary in facts.canary.iter().filter(|it| it.found == Reached::Open) {
            reached.extend(port_at(&canary.target, latest).map(|port| (port, other)));
        }
    }
    reached.sort();
    let hidden = reached.iter().any(|(port, _)| !claimed.contains(port));
    let claimed: Vec<String> = claimed.iter().map(ToString::to_string).collect();
    let known = !reached.is_empty() && !facts.listeners.is_empty();
    let reached = reached.iter().map(|(port, by)| format!("{port} by {by}"));
    Pair {
        what: "open ports",
        claimed: said(claimed),
        seen: said(reached.collect()),
        agrees: known.then_some(!hidden),
    }
}

fn reports(latest: &HostLatest) -> Pair {
    let seen = &latest.seen;
    Pair {
        what: "reports",
        claimed: format!("{} sent", latest.seq),
        seen: format!("{} never came, {} refused", seen.lost, seen.refused),
        agrees: Some(seen.refused == 0),
    }
}

/// The port of a probe's target, if it is this host's address.
fn port_at(target: &ProbeTarget, latest: &HostLatest) -> Option<u16> {
    let text = target.to_string();
    let (_, at) = text.split_once("://")?;
    let at: SocketAddr = at.split('/').next()?.parse().ok()?;
    (at.ip() == latest.seen.address).then(|| at.port())
}

const fn link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    }
}

fn said(all: Vec<String>) -> String {
    if all.is_empty() {
        "nothing".to_owned()
    } else {
        all.join(", ")
    }
}
