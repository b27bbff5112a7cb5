//! Gateways that are not ours, below our own: each stands on its host, and leads to its targets.
//!
//! What is drawn closed there is what every gateway that follows must hold. Which of its routes a narrower cut closes its
//! host knows; the map says that the cut is in force there.

use super::layout::{Block, Place, beneath};
use super::{BOX, Box, Edge, GATEWAY, Map, TARGETS, Ways, class_of};
use crate::house::{GatewayDot, Hold, HouseHosts, Lead};
use crate::view::targets::breaker;
use kill_wire::{Class, Latch, RouteKind, Scope, StateReport};
use net_model::BreakerState;
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// Most gateways drawn besides the house's own; the words have more.
const MOST: usize = 8;
/// Most targets drawn that only such gateways have.
const MOST_TARGETS: usize = 16;
const TALL_BOX: u32 = 52;

/// What stands in the block below.
pub(super) struct Others<'a> {
    gateways: &'a [GatewayDot],
    /// Targets that only they have, each with every way to it.
    targets: BTreeMap<&'a str, Vec<(&'a GatewayDot, &'a Lead)>>,
}

impl<'a> Others<'a> {
    pub(super) fn of(house: &'a HouseHosts, ways: &Ways<'_>) -> Self {
        let drawn = house.gateways.len().min(MOST);
        let gateways = house.gateways.get(..drawn).unwrap_or_default();
        let mut targets: BTreeMap<&str, Vec<_>> = BTreeMap::new();
        let leads = gateways
            .iter()
            .flat_map(|it| it.leads.iter().map(move |lead| (it, lead)));
        for (it, lead) in leads.filter(|(_, lead)| !ways.targets.contains_key(lead.target.as_str()))
        {
            if targets.len() < MOST_TARGETS || targets.contains_key(lead.target.as_str()) {
                targets.entry(&lead.target).or_default().push((it, lead));
            }
        }
        Self { gateways, targets }
    }

    /// How much room it needs.
    pub(super) fn block(&self) -> Block {
        Block::of(&[(self.gateways.len(), TALL_BOX), (self.targets.len(), BOX)])
    }

    /// Draws it into its block; `targets` are those of our own gateway.
    pub(super) fn draw(
        &self,
        map: &mut Map,
        block: Block,
        ways: &Ways<'_>,
        targets: &BTreeMap<&str, Place>,
        state: &StateReport,
    ) {
        let mut places = targets.clone();
        for (at, (name, through)) in self.targets.iter().enumerate() {
            let place = TARGETS.row(at, self.targets.len(), block, BOX);
            places.insert(name, place.clone());
            let shut = |(it, lead): &(&GatewayDot, &Lead)| closes(it, lead, ways, state);
            map.boxes
                .push(target(place, name, through, through.iter().all(shut)));
        }
        for (at, it) in self.gateways.iter().enumerate() {
            let place = GATEWAY.row(at, self.gateways.len(), block, TALL_BOX);
            map.edges.extend(map.host_of(it).map(|host| Edge {
                tone: "stands",
                ..Edge::between(&host, &place, false)
            }));
            map.edges.extend(ways_of(it, &place, &places, ways, state));
            let (tone, text) = standing(it, state);
            let on = format!("{} on {}", it.kind, it.host);
            map.boxes.push(Box::new(place, &it.name, [on, text], tone));
        }
    }
}

impl Map {
    /// Where the host of a gateway stands: its own line, or its zone where hosts are not named.
    fn host_of(&self, it: &GatewayDot) -> Option<Place> {
        let zone = self
            .zones
            .iter()
            .find(|zone| Some(&zone.full) == it.zone.as_ref())?;
        let host = zone.hosts.iter().find(|host| host.full == it.host);
        Some(host.map_or_else(|| zone.place.clone(), |host| zone.place.line(host.y - 4)))
    }
}

/// Its lines, those to what stands highest first: so none crosses another on its way.
fn ways_of(
    it: &GatewayDot,
    from: &Place,
    places: &BTreeMap<&str, Place>,
    ways: &Ways<'_>,
    state: &StateReport,
) -> Vec<Edge> {
    let drawn = it.leads.iter();
    let drawn = drawn.filter_map(|lead| Some((places.get(lead.target.as_str())?, lead)));
    let mut drawn: Vec<(&Place, &Lead)> = drawn.collect();
    drawn.sort_by_key(|(to, _)| to.y);
    let of = drawn.len();
    let edge = |(at, (to, lead)): (usize, (&Place, &Lead))| {
        let (path, middle) = beneath(from, to, at, of);
        let tone = match (closes(it, lead, ways, state), lead.state) {
            (true, _) => "cut",
            (false, BreakerState::Open) => "idle",
            (false, BreakerState::HalfOpen | BreakerState::Closed) => "",
        };
        Edge { path, tone, middle }
    };
    drawn.into_iter().enumerate().map(edge).collect()
}

fn target(place: Place, name: &str, through: &[(&GatewayDot, &Lead)], shut: bool) -> Box {
    let all = || through.iter().map(|(_, lead)| *lead);
    let class = class_of(all().map(|lead| lead.class));
    let rests = [BreakerState::Open, BreakerState::HalfOpen];
    let mut rests = rests.into_iter();
    let rests = rests.find(|state| all().any(|lead| lead.state == *state));
    let (tone, more) = if shut {
        ("cut", format!("{class}, closed"))
    } else if let Some(rests) = rests {
        ("warn", format!("{class}, {}", breaker(rests)))
    } else if all().any(|lead| lead.unwell) {
        ("warn", format!("{class}, unwell"))
    } else {
        ("good", class.to_owned())
    };
    Box::new(place, name, [more], tone)
}

/// Whether what is in force closes this way there. Of a cut of all models: where the probes know that nothing but models
/// leads to this target.
pub(super) fn closes(it: &GatewayDot, lead: &Lead, ways: &Ways<'_>, state: &StateReport) -> bool {
    if hold(it, state) != Hold::Follows {
        return false;
    }
    let cut = |scope: &Scope| state.latches.of(scope).is_some();
    let known = ways.targets.get(lead.target.as_str());
    let model = known.is_some_and(|points| points.iter().all(|it| it.kind == RouteKind::Llm));
    cut(&Scope::All)
        || cut(&Scope::Cloud) && lead.class == Class::Cloud
        || cut(&Scope::Llm) && model
}

/// What its host claims, and where the kill switch knows better, that.
fn hold(it: &GatewayDot, state: &StateReport) -> Hold {
    let at = |text: &str| text.parse::<SocketAddr>().map(|at| at.ip());
    let agents = state.agents.iter();
    let mut of_host = agents.filter(|agent| at(&agent.address) == Ok(it.address));
    // Several at one address: nobody knows which of them has this gateway.
    match (of_host.next(), of_host.next()) {
        (Some(agent), None) if agent.problem.is_some() && it.hold == Hold::Follows => Hold::Behind,
        _ => it.hold,
    }
}

/// How it stands, as class and words.
pub(super) fn standing(it: &GatewayDot, state: &StateReport) -> (&'static str, String) {
    match hold(it, state) {
        Hold::Behind => ("bad", "does not follow".to_owned()),
        Hold::Silent => ("warn", "not heard from".to_owned()),
        Hold::Follows => follows(state),
    }
}

fn follows(state: &StateReport) -> (&'static str, String) {
    let cut = state.latches.as_slice();
    let all = cut.iter().find(|latch| latch.scope == Scope::All);
    match (all, cut) {
        (None, []) => ("good", "follows".to_owned()),
        (Some(Latch { scope, .. }), _) => ("cut", format!("follows, {scope} cut")),
        (None, [one]) => ("warn", format!("follows, {} cut", one.scope)),
        (None, many) => ("warn", format!("follows, {} cuts", many.len())),
    }
}
