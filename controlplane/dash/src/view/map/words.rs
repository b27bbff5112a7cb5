//! What the picture says, in words.

use super::others::{closes, standing};
use super::{Ways, zone_cut};
use crate::house::{GatewayDot, HouseHosts, Lead};
use crate::view::routes::badge;
use crate::view::targets::{breaker, class};
use kill_wire::{LatchSet, ProbePoint, Scope, StateReport};
use net_model::BreakerState;
use std::collections::BTreeSet;

pub(super) fn words(house: &HouseHosts, ways: &Ways<'_>, state: &StateReport) -> Vec<String> {
    let zones = house.zones.iter().map(|zone| {
        let cut = zone_cut(&state.latches, &zone.name).map_or("", |_| ", cut");
        format!(
            "Zone {}: {} of {} hosts heard{cut}.",
            zone.name, zone.heard, zone.joined
        )
    });
    let routes = ways.routes.iter();
    let routes = routes.map(|(name, through)| route(name, through, &state.latches, &state.points));
    let gateways = house.gateways.iter().map(|it| gateway(it, ways, state));
    let more = match house.more_gateways {
        0 => None,
        1 => Some("One more gateway: its host’s page tells of it.".to_owned()),
        n => Some(format!(
            "{n} more gateways: their hosts’ pages tell of them."
        )),
    };
    zones.chain(routes).chain(gateways).chain(more).collect()
}

fn route(name: &str, through: &[&ProbePoint], latches: &LatchSet, all: &[ProbePoint]) -> String {
    let standing = name.parse::<Scope>().ok();
    let standing = standing.map(|scope| badge(&latches.standing(&scope, all)).1);
    let leads: BTreeSet<&str> = through.iter().map(|it| it.target.as_str()).collect();
    let leads: Vec<&str> = leads.into_iter().collect();
    format!(
        "Route {name}: {}, leads to {}.",
        standing.unwrap_or_else(|| "unknown".to_owned()),
        leads.join(", ")
    )
}

fn gateway(it: &GatewayDot, ways: &Ways<'_>, state: &StateReport) -> String {
    let (_, text) = standing(it, state);
    let zone = it.zone.as_ref();
    let zone = zone.map_or_else(String::new, |zone| format!(", zone {zone}"));
    let lead = |lead: &Lead| {
        let said = match (closes(it, lead, ways, state), lead.state, lead.unwell) {
            (true, _, _) => ", closed",
            (false, BreakerState::Closed, true) => ", unwell",
            (false, BreakerState::Closed, false) => "",
            (false, BreakerState::HalfOpen | BreakerState::Open, _) => {
                return format!(
                    "{} ({}, {})",
                    lead.target,
                    class(lead.class),
                    breaker(lead.state)
                );
            }
        };
        format!("{} ({}{said})", lead.target, class(lead.class))
    };
    let leads: Vec<String> = it.leads.iter().map(lead).collect();
    let leads = match leads.is_empty() {
        true => "where it leads is not told".to_owned(),
        false => format!("leads to {}", leads.join(", ")),
    };
    format!(
        "Gateway {} ({}) on {}{zone}: {text}, {leads}.",
        it.name, it.kind, it.host
    )
}
