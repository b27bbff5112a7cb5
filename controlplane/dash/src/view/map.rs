//! The house as a picture: zones with their hosts, the gateway, routes, targets, and what is cut between them.
//!
//! Pure: the same house draws the same picture. Up to thirty hosts stand there by name; more are counted by zone. All that
//! the picture says, its list says too, for whoever cannot see it.

mod layout;

use super::routes::badge;
use crate::house::{HostDot, HouseHosts};
use askama::Template;
use kill_wire::{Class, Latch, LatchSet, ProbePoint, Scope};
use layout::{Column, Place, curve, stacked};
use net_model::Snapshot;
use std::collections::{BTreeMap, BTreeSet};

/// Most routes and most targets drawn; the page of targets has all.
const MOST: usize = 24;
/// Hosts drawn by name; of more, each zone says how many.
pub(crate) const BY_NAME: usize = 30;

/// Where each column stands, and how wide it is.
const ZONES: Column = Column { x: 10, width: 200 };
const GATEWAY: Column = Column { x: 290, width: 130 };
const ROUTES: Column = Column { x: 500, width: 170 };
const TARGETS: Column = Column { x: 750, width: 170 };
const LINE: u32 = 18;
const BOX: u32 = 30;

#[derive(Debug, Template)]
#[template(path = "parts/map.html")]
pub(crate) struct Map {
    pub(crate) height: u32,
    pub(crate) zones: Vec<ZoneBox>,
    pub(crate) boxes: Vec<Box>,
    pub(crate) edges: Vec<Edge>,
    /// The same in words.
    pub(crate) words: Vec<String>,
    pub(crate) problem: Option<String>,
}

/// A zone with its hosts, or with how many there are.
#[derive(Debug)]
pub(crate) struct ZoneBox {
    pub(crate) place: Place,
    pub(crate) name: String,
    pub(crate) hosts: Vec<Host>,
    /// How many, where they are not named.
    pub(crate) count: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) y: u32,
    pub(crate) name: String,
    pub(crate) tone: &'static str,
}

/// The gateway, a route or a target.
#[derive(Debug)]
pub(crate) struct Box {
    pub(crate) place: Place,
    pub(crate) name: String,
    pub(crate) more: String,
    pub(crate) tone: &'static str,
}

#[derive(Debug)]
pub(crate) struct Edge {
    pub(crate) path: String,
    pub(crate) cut: bool,
    /// Where its cross stands.
    pub(crate) middle: (u32, u32),
}

/// What leads where, by names.
struct Ways<'a> {
    routes: BTreeMap<&'a str, Vec<&'a ProbePoint>>,
    targets: BTreeMap<&'a str, Vec<&'a ProbePoint>>,
}

impl<'a> Ways<'a> {
    fn of(points: &'a [ProbePoint]) -> Self {
        let mut ways = Self {
            routes: BTreeMap::new(),
            targets: BTreeMap::new(),
        };
        for point in points {
            ways.routes
                .entry(point.route.as_str())
                .or_default()
                .push(point);
            ways.targets
                .entry(point.target.as_str())
                .or_default()
                .push(point);
        }
        ways
    }
}

/// Whether every one of these ways is closed; no way is not a closed one.
fn closed(latches: &LatchSet, points: &[&ProbePoint]) -> bool {
    let shut = |point: &&ProbePoint| latches.closing(&point.subject()).is_some();
    !points.is_empty() && points.iter().all(shut)
}

impl Map {
    pub(crate) fn of(snapshot: &Snapshot, house: &HouseHosts) -> Self {
        let state = snapshot.killswitch.as_ref().ok();
        let none = LatchSet::default();
        let latches = state.map_or(&none, |state| &state.latches);
        let points = state.map_or(&[][..], |state| &state.points);
        let ways = Ways::of(points);
        let mut map = Self {
            height: 0,
            zones: zones(house),
            boxes: Vec::new(),
            edges: Vec::new(),
            words: Vec::new(),
            problem: house.problem.clone(),
        };
        let open = snapshot.gateway.as_ref().map(|gateway| gateway.open);
        map.draw_ways(&ways, latches, snapshot, open.ok());
        let lowest = map.zones.iter().map(|zone| zone.place.bottom());
        let lowest = lowest.chain(map.boxes.iter().map(|it| it.place.bottom()));
        map.height = lowest.max().unwrap_or(0) + 14;
        map.words = words(house, &ways, latches, points);
        map
    }

    fn draw_ways(
        &mut self,
        ways: &Ways<'_>,
        latches: &LatchSet,
        snapshot: &Snapshot,
        open: Option<u32>,
    ) {
        let routes: Vec<_> = ways.routes.iter().take(MOST).collect();
        let targets: Vec<_> = ways.targets.iter().take(MOST).collect();
        let rows = routes.len().max(targets.len()).max(1);
        let tall = stacked(rows, BOX).max(self.zones.last().map_or(0, |zone| zone.place.bottom()));
        let gateway = GATEWAY.place(tall / 2, BOX + 14);
        let every: Vec<&ProbePoint> = ways.routes.values().flatten().copied().collect();
        let (tone, more) = match open {
            None => ("unknown", "not read".to_owned()),
            Some(_) if closed(latches, &every) => ("cut", "closed".to_owned()),
            Some(open) => ("good", format!("{open} open")),
        };
        for zone in &self.zones {
            let cut = closed(latches, &every) || zone_cut(latches, &zone.name).is_some();
            self.edges.push(Edge::between(&zone.place, &gateway, cut));
        }
        let route_places: BTreeMap<&str, Place> = places(ROUTES, tall, &routes);
        let target_places: BTreeMap<&str, Place> = places(TARGETS, tall, &targets);
        for (name, points) in &routes {
            let Some(place) = route_places.get(**name) else {
                continue;
            };
            let cut = closed(latches, points);
            self.edges.push(Edge::between(&gateway, place, cut));
            let leads: BTreeSet<&str> = points.iter().map(|it| it.target.as_str()).collect();
            for target in leads {
                let Some(to) = target_places.get(target) else {
                    continue;
                };
                let through = points
                    .iter()
                    .copied()
                    .filter(|it| it.target.as_str() == target);
                let through: Vec<&ProbePoint> = through.collect();
                self.edges
                    .push(Edge::between(place, to, closed(latches, &through)));
            }
            let standing = name.parse::<Scope>().ok();
            let standing = standing.map(|scope| {
                let all: Vec<ProbePoint> = points.iter().map(|it| (*it).clone()).collect();
                badge(&latches.standing(&scope, &all))
            });
            let (tone, more) = standing.unwrap_or(("unknown", String::new()));
            self.boxes.push(Box::new(place.clone(), name, more, tone));
        }
        for (name, points) in &targets {
            let Some(place) = target_places.get(**name) else {
                continue;
            };
            let cloud = points.iter().any(|it| it.class == Class::Cloud);
            let breaker = breaker(snapshot, name);
            let class = if cloud { "cloud" } else { "local" };
            let (tone, more) = match breaker {
                _ if closed(latches, points) => ("cut", format!("{class}, closed")),
                Some(text) => ("warn", format!("{class}, {text}")),
                None => ("good", class.to_owned()),
            };
            self.boxes.push(Box::new(place.clone(), name, more, tone));
        }
        self.boxes.push(Box::new(gateway, "Gateway", more, tone));
    }
}

impl Box {
    fn new(place: Place, name: &str, more: String, tone: &'static str) -> Self {
        Self {
            place,
            name: name.to_owned(),
            more,
            tone,
        }
    }
}

impl Edge {
    fn between(from: &Place, to: &Place, cut: bool) -> Self {
        let (path, middle) = curve(from, to);
        Self { path, cut, middle }
    }
}

fn places<'a, T>(column: Column, tall: u32, rows: &[(&&'a str, T)]) -> BTreeMap<&'a str, Place> {
    let each = rows.iter().enumerate();
    each.map(|(at, (name, _))| (**name, column.row(at, rows.len(), tall, BOX)))
        .collect()
}

/// Said only where a target is not simply asked.
fn breaker(snapshot: &Snapshot, name: &str) -> Option<&'static str> {
    let targets = snapshot.gateway.as_ref().ok()?.targets.iter();
    let target = targets.into_iter().find(|it| it.name.as_str() == name)?;
    match target.state {
        net_model::BreakerState::Closed => None,
        net_model::BreakerState::HalfOpen => Some("is tried"),
        net_model::BreakerState::Open => Some("left alone"),
    }
}

/// The cut of a zone by its own name.
fn zone_cut<'a>(latches: &'a LatchSet, zone: &str) -> Option<&'a Latch> {
    latches.of(&zone.parse::<Scope>().ok()?)
}

fn zones(house: &HouseHosts) -> Vec<ZoneBox> {
    let mut y = 10;
    let mut boxes = Vec::new();
    for zone in &house.zones {
        let named = zone.hosts.as_ref();
        let lines = named.map_or(1, Vec::len).max(1);
        let height = 26 + u32::try_from(lines).unwrap_or(0) * LINE + 6;
        let hosts = named.into_iter().flatten().enumerate();
        let host = |(at, host): (usize, &HostDot)| Host {
            y: y + 40 + u32::try_from(at).unwrap_or(0) * LINE,
            name: host.name.clone(),
            tone: host.tone,
        };
        boxes.push(ZoneBox {
            hosts: hosts.map(host).collect(),
            count: named
                .is_none_or(Vec::is_empty)
                .then(|| format!("{} of {} heard", zone.heard, zone.joined)),
            place: Place {
                x: ZONES.x,
                y,
                width: ZONES.width,
                height,
            },
            name: zone.name.clone(),
        });
        y += height + 12;
    }
    boxes
}

fn words(
    house: &HouseHosts,
    ways: &Ways<'_>,
    latches: &LatchSet,
    points: &[ProbePoint],
) -> Vec<String> {
    let zones = house.zones.iter().map(|zone| {
        let cut = zone_cut(latches, &zone.name).map_or("", |_| ", cut");
        format!(
            "Zone {}: {} of {} hosts heard{cut}.",
            zone.name, zone.heard, zone.joined
        )
    });
    let routes = ways.routes.iter().map(|(name, through)| {
        let standing = name.parse::<Scope>().ok();
        let standing = standing.map(|scope| badge(&latches.standing(&scope, points)).1);
        let leads: BTreeSet<&str> = through.iter().map(|it| it.target.as_str()).collect();
        let leads: Vec<&str> = leads.into_iter().collect();
        format!(
            "Route {name}: {}, leads to {}.",
            standing.unwrap_or_else(|| "unknown".to_owned()),
            leads.join(", ")
        )
    });
    zones.chain(routes).collect()
}

#[cfg(test)]
mod tests;
