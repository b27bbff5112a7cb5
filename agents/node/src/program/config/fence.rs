//! The section `[fence]`: the host's own way (`[fence.host]`), and the zones behind it where it is a router
//! (`[[fence.zones]]`).

use super::AgentWish;
use fence::{Flow, Interface, Plan, Release, Side, Still, TableName, Way, everything};
use ipnet::IpNet;
use kill_config::{Reading, Section, holds};
use kill_wire::{Name, Scope};
use node_agent::FenceWish;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

const NFT: &str = "/usr/sbin/nft";

/// What every cut of the whole house or of all agents closes, unless the file says otherwise.
const CLOSES: [Scope; 2] = [Scope::All, Scope::Agents];

/// What the file wants of the fence, and which of its ways hold in silence.
#[derive(Debug)]
pub(in crate::program) struct Fenced {
    pub(in crate::program) wish: FenceWish,
    pub(in crate::program) holds: Vec<Scope>,
}

/// One way, with what closes it.
struct Read {
    way: Way,
    closes_on: Vec<Scope>,
    holds: bool,
}

/// None without the section.
pub(super) fn read(
    section: Option<Section<'_>>,
    agent: &AgentWish,
    reading: &Reading<'_>,
) -> Option<Fenced> {
    let mut section = section?;
    let table = section.parse::<TableName>("table", "a name: 1 to 32 of a-z, 0-9, `_`");
    let nft = section.text("nft", "the absolute path of the program `nft`");
    let mut ways = Vec::new();
    let mut still = None;
    if let Some(mut host) = section.section("host") {
        still = Some(stillness(&mut host, agent, reading.folder));
        ways.extend(host_way(host, agent));
    }
    let zones = section.sections("zones");
    ways.extend(zones.into_iter().filter_map(zone));
    let plan = Plan {
        table: table.unwrap_or_default(),
        nft: PathBuf::from(nft.as_deref().unwrap_or(NFT)),
        ways: ways.iter().map(|read| read.way.clone()).collect(),
    };
    for mistake in plan.mistakes() {
        section.note("zones", &mistake);
    }
    if !plan.nft.is_absolute() {
        section.note("nft", "expected an absolute path");
    }
    section.finish();
    let own_name = |read: &Read| Scope::Named(read.way.name.clone());
    let holding = ways.iter().filter(|read| read.holds);
    Some(Fenced {
        holds: holding.map(own_name).collect(),
        wish: FenceWish {
            closes_on: ways.into_iter().map(|read| read.closes_on).collect(),
            plan,
            still,
        },
    })
}

fn zone(mut section: Section<'_>) -> Option<Read> {
    let name = section.need_parsed::<Name>("name", "the zone's name, such as `red-zone`");
    let interfaces = list::<Interface>(
        &mut section,
        "interfaces",
        "a list of this router's interfaces to the zone, such as [\"vlan30\"]",
    );
    let nets = list::<IpNet>(
        &mut section,
        "nets",
        "a list of the zone's prefixes, such as [\"10.20.30.0/24\", \"fd42:20:30::/64\"]",
    );
    let (flows, closes_on, holds) = common(&mut section);
    section.finish();
    let name = name?;
    let mut closes_on = closes_on;
    closes_on.push(Scope::Named(name.clone()));
    Some(Read {
        way: Way {
            name,
            side: Side::Zone(interfaces),
            nets: nets.iter().map(IpNet::trunc).collect(),
            flows,
        },
        closes_on,
        holds,
    })
}

fn host_way(mut section: Section<'_>, agent: &AgentWish) -> Option<Read> {
    let zone = section.parse::<Name>("zone", "the name of the zone this host stands in");
    let (flows, mut closes_on, holds) = common(&mut section);
    let listens = agent.common.listen;
    let orders = |flow: &Flow| matches!(flow, Flow::From(_, port) if *port == listens.port());
    if !listens.ip().is_loopback() && !flows.iter().any(orders) {
        let text = format!(
            "no flow keeps the way of orders open, so no restore could come; add {{ from = \"ADDRESS\", port = {} }}",
            listens.port()
        );
        section.note("keep", &text);
    }
    section.finish();
    let name: Name = agent.name.parse().ok()?;
    closes_on.push(Scope::Named(name.clone()));
    closes_on.extend(zone.map(Scope::Named));
    Some(Read {
        way: Way {
            name,
            side: Side::Host,
            nets: everything(),
            flows,
        },
        closes_on,
        holds,
    })
}

/// What stays open, what closes it besides its own name, and whether silence holds it.
fn common(section: &mut Section<'_>) -> (Vec<Flow>, Vec<Scope>, bool) {
    let entries = section.sections("keep");
    let flows = entries.into_iter().filter_map(flow).collect();
    let mut closes_on: Vec<Scope> = match section.has("closes_on") {
        true => list(
            section,
            "closes_on",
            "a list of scopes, such as [\"AGENTS\", \"claw\"]",
        ),
        false => CLOSES.to_vec(),
    };
    // A cut of everything closes everything, whatever the file says.
    if !closes_on.contains(&Scope::All) {
        closes_on.push(Scope::All);
    }
    let holds = holds(section);
    (flows, closes_on, holds)
}

fn flow(mut section: Section<'_>) -> Option<Flow> {
    const ADDRESS: &str = "a literal address, such as `10.20.10.2`";
    let from = section.parse::<IpAddr>("from", ADDRESS);
    let to = section.parse::<IpAddr>("to", ADDRESS);
    let port = section.number("port", 1..=65_535);
    let port = port.and_then(|port| u16::try_from(port).ok());
    let made = match (from, to, port) {
        (Some(from), None, Some(port)) => Some(Flow::From(from, port)),
        (None, Some(to), Some(port)) => Some(Flow::To(to, port)),
        _ => {
            section.note(
                "port",
                "a flow is { from = \"ADDRESS\", port = N } or { to = \"ADDRESS\", port = N }",
            );
            None
        }
    };
    section.finish();
    made
}

/// What is done to processes and connections once the host's own fence is closed.
fn stillness(section: &mut Section<'_>, agent: &AgentWish, folder: &Path) -> Still {
    let cgroups = section.texts("freeze", "a list of folders of control groups (version 2)");
    let cgroups = cgroups.unwrap_or_default();
    let destroy = section.flag("end_connections").unwrap_or(true);
    let evidence = section.flag("evidence").unwrap_or(true);
    let release = match section.text("on_restore", "`thaw` or `stop`").as_deref() {
        None | Some("thaw") => Release::Thaw,
        Some("stop") => Release::Stop,
        Some(other) => {
            section.note("on_restore", &format!("`{other}` is not `thaw` or `stop`"));
            Release::Thaw
        }
    };
    Still {
        cgroups: cgroups.iter().map(|path| folder.join(path)).collect(),
        destroy,
        evidence: evidence.then(|| agent.state.join("evidence")),
        release,
    }
}

fn list<T: FromStr>(section: &mut Section<'_>, key: &'static str, expected: &str) -> Vec<T> {
    let words = section.texts(key, expected).unwrap_or_default();
    let made: Option<Vec<T>> = words.iter().map(|word| word.parse().ok()).collect();
    if made.is_none() {
        section.note(
            key,
            &format!("one of these cannot be read; expected {expected}"),
        );
    }
    made.unwrap_or_default()
}
