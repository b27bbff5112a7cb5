//! Gateways that are not ours, as the map shows them: whoever needs a look stands first.

use crate::fleet::SILENT_MS;
use crate::fleet::driven::Elsewhere;
use kill_wire::{Class, Timestamp};
use net_model::BreakerState;
use std::net::IpAddr;

/// Most gateways kept; of more it is said how many.
const MOST: usize = 24;

/// A gateway that a host drives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GatewayDot {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) host: String,
    pub(crate) zone: Option<String>,
    /// Where its host was heard from.
    pub(crate) address: IpAddr,
    pub(crate) hold: Hold,
    pub(crate) leads: Vec<Lead>,
}

/// Whether what is in force is held there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Hold {
    /// It was seen not to hold it.
    Behind,
    /// Nobody knows: its host is silent.
    Silent,
    /// It was last seen to hold it, says its host.
    Follows,
}

/// A target that a gateway has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lead {
    pub(crate) target: String,
    pub(crate) class: Class,
    pub(crate) state: BreakerState,
    /// Some probe found it unwell.
    pub(crate) unwell: bool,
}

/// Those that are kept, and how many there are besides.
pub(super) fn dots(all: Vec<Elsewhere>, now: Timestamp) -> (Vec<GatewayDot>, usize) {
    let mut dots: Vec<GatewayDot> = all.into_iter().map(|it| dot(it, now)).collect();
    dots.sort_by(|a, b| (a.hold, &a.host, &a.name).cmp(&(b.hold, &b.host, &b.name)));
    let more = dots.len().saturating_sub(MOST);
    dots.truncate(MOST);
    (dots, more)
}

fn dot(it: Elsewhere, now: Timestamp) -> GatewayDot {
    let silent = now.since(it.heard) > SILENT_MS;
    let leads = it.targets.into_iter().map(|target| Lead {
        unwell: [target.probed, target.checked].contains(&Some(false)),
        target: target.name.to_string(),
        class: target.class,
        state: target.state,
    });
    GatewayDot {
        leads: leads.collect(),
        name: it.gateway.to_string(),
        kind: it.kind.to_string(),
        host: it.host.to_string(),
        zone: it.zone.map(|zone| zone.to_string()),
        address: it.address,
        hold: match (silent, it.follows) {
            (true, _) => Hold::Silent,
            (false, false) => Hold::Behind,
            (false, true) => Hold::Follows,
        },
    }
}
