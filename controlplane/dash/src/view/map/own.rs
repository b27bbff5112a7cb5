//! Our own gateway: zones lead to it, and it to routes and targets, as the probes know them.

use super::layout::{Block, Column, Place};
use super::{
    BOX, Box, Edge, GATEWAY, GATEWAY_BOX, Map, ROUTES, TARGETS, Ways, class_of, closed, zone_cut,
};
use crate::view::routes::badge;
use crate::view::targets::breaker;
use kill_wire::{LatchSet, ProbePoint, Scope};
use net_model::{BreakerState, Snapshot};
use std::collections::{BTreeMap, BTreeSet};

/// Most routes and most targets drawn; the page of targets has all.
const MOST: usize = 24;

/// What leads by one name.
type Way<'a> = (&'a str, &'a [&'a ProbePoint]);

/// What stands in the block above.
pub(super) struct Own<'a> {
    routes: Vec<Way<'a>>,
    targets: Vec<Way<'a>>,
}

impl<'a> Own<'a> {
    pub(super) fn of(ways: &'a Ways<'_>) -> Self {
        let few = |of: &'a BTreeMap<&str, Vec<&ProbePoint>>| {
            let each = of.iter().take(MOST);
            each.map(|(name, points)| (*name, points.as_slice()))
                .collect()
        };
        Self {
            routes: few(&ways.routes),
            targets: few(&ways.targets),
        }
    }

    /// How much room it needs.
    pub(super) fn block(&self) -> Block {
        Block::of(&[
            (self.routes.len(), BOX),
            (self.targets.len(), BOX),
            (1, GATEWAY_BOX),
        ])
    }

    /// Draws it into its block; gives where its targets stand.
    pub(super) fn draw(
        &self,
        map: &mut Map,
        block: Block,
        ways: &Ways<'_>,
        latches: &LatchSet,
        snapshot: &Snapshot,
    ) -> BTreeMap<&'a str, Place> {
        let gateway = GATEWAY.row(0, 1, block, GATEWAY_BOX);
        let every: Vec<&ProbePoint> = ways.routes.values().flatten().copied().collect();
        let shut = closed(latches, &every);
        let open = snapshot.gateway.as_ref().map(|gateway| gateway.open);
        let (tone, more) = match open.ok() {
            None => ("unknown", "not read".to_owned()),
            Some(_) if shut => ("cut", "closed".to_owned()),
            Some(open) => ("good", format!("{open} open")),
        };
        for zone in &map.zones {
            let cut = shut || zone_cut(latches, &zone.full).is_some();
            map.edges.push(Edge::between(&zone.place, &gateway, cut));
        }
        let targets = places(TARGETS, block, &self.targets);
        self.draw_routes(map, block, &gateway, &targets, latches);
        for (name, points) in &self.targets {
            let class = class_of(points.iter().map(|it| it.class));
            let (tone, more) = match state(snapshot, name) {
                _ if closed(latches, points) => ("cut", format!("{class}, closed")),
                None | Some(BreakerState::Closed) => ("good", class.to_owned()),
                Some(rests) => ("warn", format!("{class}, {}", breaker(rests))),
            };
            let place = targets.get(name).cloned();
            map.boxes
                .extend(place.map(|place| Box::new(place, name, [more], tone)));
        }
        map.boxes.push(Box::new(gateway, "Gateway", [more], tone));
        targets
    }

    fn draw_routes(
        &self,
        map: &mut Map,
        block: Block,
        gateway: &Place,
        targets: &BTreeMap<&str, Place>,
        latches: &LatchSet,
    ) {
        for (at, (name, points)) in self.routes.iter().enumerate() {
            let place = ROUTES.row(at, self.routes.len(), block, BOX);
            let cut = closed(latches, points);
            map.edges.push(Edge::between(gateway, &place, cut));
            let leads: BTreeSet<&str> = points.iter().map(|it| it.target.as_str()).collect();
            for target in leads {
                let Some(to) = targets.get(target) else {
                    continue;
                };
                let through = points.iter().copied();
                let through = through.filter(|it| it.target.as_str() == target);
                let through: Vec<&ProbePoint> = through.collect();
                map.edges
                    .push(Edge::between(&place, to, closed(latches, &through)));
            }
            let standing = name.parse::<Scope>().ok();
            let standing = standing.map(|scope| {
                let all: Vec<ProbePoint> = points.iter().map(|it| (*it).clone()).collect();
                badge(&latches.standing(&scope, &all))
            });
            let (tone, more) = standing.unwrap_or(("unknown", String::new()));
            map.boxes.push(Box::new(place, name, [more], tone));
        }
    }
}

fn places<'a>(column: Column, block: Block, rows: &[Way<'a>]) -> BTreeMap<&'a str, Place> {
    let each = rows.iter().enumerate();
    each.map(|(at, (name, _))| (*name, column.row(at, rows.len(), block, BOX)))
        .collect()
}

/// Unknown where the gateway says nothing of the target.
fn state(snapshot: &Snapshot, name: &str) -> Option<BreakerState> {
    let mut targets = snapshot.gateway.as_ref().ok()?.targets.iter();
    let target = targets.find(|it| it.name.as_str() == name)?;
    Some(target.state)
}
