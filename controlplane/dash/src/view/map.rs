//! The house as a picture: zones with their hosts, gateways, routes, targets, and what is cut between them.
//!
//! Pure: the same house draws the same picture. Up to thirty hosts stand there by name; more are counted by zone. All that
//! the picture says, its list says too, for whoever cannot see it.

mod layout;
mod others;
mod own;
mod words;

use super::targets::class;
use crate::house::{HostDot, HouseHosts};
use askama::Template;
use kill_wire::{Class, Latch, LatchSet, ProbePoint, Scope, StateReport};
use layout::{Column, Place, curve};
use net_model::Snapshot;
use others::Others;
use own::Own;
use std::collections::BTreeMap;

/// Hosts drawn by name; of more, each zone says how many.
pub(crate) const BY_NAME: usize = 30;

/// Where each column stands, and how wide it is.
const ZONES: Column = Column { x: 10, width: 200 };
const GATEWAY: Column = Column { x: 280, width: 150 };
const ROUTES: Column = Column { x: 500, width: 170 };
const TARGETS: Column = Column { x: 750, width: 170 };
const LINE: u32 = 18;
const BOX: u32 = 36;
const GATEWAY_BOX: u32 = 44;
/// How wide a letter of a name is, and of what stands below it, in tenths.
const LETTER: u32 = 72;
const SMALL_LETTER: u32 = 58;

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
    pub(crate) full: String,
    pub(crate) hosts: Vec<Host>,
    /// How many, where they are not named.
    pub(crate) count: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) y: u32,
    pub(crate) name: String,
    pub(crate) full: String,
    pub(crate) tone: &'static str,
}

/// A gateway, a route or a target.
#[derive(Debug)]
pub(crate) struct Box {
    pub(crate) place: Place,
    /// As much as finds room, and where it stands.
    pub(crate) name: (u32, String),
    pub(crate) full: String,
    /// Lines below it.
    pub(crate) more: Vec<(u32, String)>,
    pub(crate) tone: &'static str,
}

#[derive(Debug)]
pub(crate) struct Edge {
    pub(crate) path: String,
    /// `cut`; `idle`: nothing goes there now; `stands`: no way, it is where a gateway stands; else empty.
    pub(crate) tone: &'static str,
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
        let none = StateReport::default();
        let state = snapshot.killswitch.as_ref().unwrap_or(&none);
        let ways = Ways::of(&state.points);
        let mut map = Self {
            height: 0,
            zones: zones(house),
            boxes: Vec::new(),
            edges: Vec::new(),
            words: words::words(house, &ways, state),
            problem: house.problem.clone(),
        };
        let (own, others) = (Own::of(&ways), Others::of(house, &ways));
        let beside = map.zones.last().map_or(0, |zone| zone.place.bottom());
        let (above, below) = own.block().above(others.block(), beside);
        let targets = own.draw(&mut map, above, &ways, &state.latches, snapshot);
        others.draw(&mut map, below, &ways, &targets, state);
        let lowest = map.boxes.iter().map(|it| it.place.bottom());
        map.height = lowest.max().unwrap_or(0).max(beside) + 14;
        map
    }
}

impl Box {
    fn new<const N: usize>(
        place: Place,
        name: &str,
        more: [String; N],
        tone: &'static str,
    ) -> Self {
        let mut lines = place.lines(N);
        let first = lines.next().unwrap_or_default();
        let room = place.room(SMALL_LETTER);
        Self {
            name: (first, short(name, place.room(LETTER))),
            full: name.to_owned(),
            more: lines
                .zip(more.iter().map(|text| short(text, room)))
                .collect(),
            tone,
            place,
        }
    }
}

impl Edge {
    fn between(from: &Place, to: &Place, cut: bool) -> Self {
        let (path, middle) = curve(from, to);
        let tone = if cut { "cut" } else { "" };
        Self { path, tone, middle }
    }
}

/// As much as finds room.
fn short(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept = text.chars().take(most.saturating_sub(1));
    kept.chain(['…']).collect()
}

/// The class of a target that several ways lead to: outside, where one of them says so.
fn class_of(mut classes: impl Iterator<Item = Class>) -> &'static str {
    let outside = classes.any(|it| it == Class::Cloud);
    class(if outside { Class::Cloud } else { Class::Local })
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
        let place = Place {
            x: ZONES.x,
            y,
            width: ZONES.width,
            height,
        };
        let hosts = named.into_iter().flatten().enumerate();
        let host = |(at, host): (usize, &HostDot)| Host {
            y: y + 40 + u32::try_from(at).unwrap_or(0) * LINE,
            // Beside its dot.
            name: short(&host.name, place.room(LETTER).saturating_sub(2)),
            full: host.name.clone(),
            tone: host.tone,
        };
        boxes.push(ZoneBox {
            hosts: hosts.map(host).collect(),
            count: named
                .is_none_or(Vec::is_empty)
                .then(|| format!("{} of {} heard", zone.heard, zone.joined)),
            name: short(&zone.name, place.room(LETTER)),
            full: zone.name.clone(),
            place,
        });
        y += height + 12;
    }
    boxes
}

#[cfg(test)]
mod tests;
