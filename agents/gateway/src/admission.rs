//! Decides who calls, by which route, and which targets are open to that now.

mod near;

pub(crate) use near::Near;

use crate::{clock, deny::Denied, headers::API_KEY, overlay, targets::Watched};
use gateway_core::choice::Zone;
use http::{HeaderMap, header};
use kill_wire::{ProbeAddress, ProbePoint, ProbePoints, Subject, Timestamp};
use net_model::{Consumer, KeyHash, Overlay, Route, RouteTable, Target, TargetView};
use std::{collections::HashMap, sync::Arc};

/// Most ways through one gateway that probes are offered.
const MAX_POINTS: usize = 1024;

/// The wanted routes with an index of the keys.
#[derive(Debug)]
pub(crate) struct Table {
    wanted: RouteTable,
    by_key: HashMap<KeyHash, usize>,
    /// Keys that were replaced: whose, and until when they count.
    by_old_key: HashMap<KeyHash, (usize, Timestamp)>,
    /// How the targets fare, each in its target's place.
    watched: Vec<Arc<Watched>>,
    /// In which days and hours of policies count.
    zone: Zone,
}

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    /// The consumer at this place of the table.
    Consumer(usize),
    /// The kill switch's prober.
    Probe,
}

impl Table {
    /// Indexes the keys of `wanted`. A target that stood in the table `before` and is what it was goes on as it fared.
    pub(crate) fn new(wanted: RouteTable, zone: Zone, before: Option<&Self>) -> Self {
        let by_key = wanted
            .consumers()
            .iter()
            .enumerate()
            .map(|(at, consumer)| (consumer.key, at))
            .collect();
        let consumers = wanted.consumers().iter().enumerate();
        let by_old_key = consumers
            .filter_map(|(at, consumer)| consumer.old_key.map(|old| (old.key, (at, old.until))))
            .collect();
        let known = before.map_or(&[][..], |before| &before.watched);
        let watched = wanted
            .targets()
            .iter()
            .map(|target| Watched::among(known, target))
            .collect();
        Self {
            wanted,
            by_key,
            by_old_key,
            watched,
            zone,
        }
    }

    /// In which days and hours of policies count.
    pub(crate) fn zone(&self) -> &Zone {
        &self.zone
    }

    /// All targets, and how they fare.
    pub(crate) fn targets(&self) -> impl Iterator<Item = (&Target, &Arc<Watched>)> {
        self.wanted.targets().iter().zip(&self.watched)
    }

    /// The targets of a route, first choice first, and how they fare.
    pub(crate) fn targets_of<'a>(
        &'a self,
        route: &'a Route,
    ) -> impl Iterator<Item = (&'a Target, &'a Arc<Watched>)> {
        let targets = self.wanted.targets();
        let at = |at: &usize| Some((targets.get(*at)?, self.watched.get(*at)?));
        route.targets.iter().filter_map(at)
    }

    /// What is said of the targets.
    pub(crate) fn views(&self) -> Vec<TargetView> {
        self.targets()
            .map(|(target, watched)| watched.view(target))
            .collect()
    }

    /// A way to `target` that is open now, if there is one.
    pub(crate) fn open_way(
        &self,
        target: &Target,
        overlay: Option<&Overlay>,
    ) -> Option<ProbePoint> {
        let consumers = self.wanted.consumers().iter();
        let mut ways = consumers.flat_map(|consumer| {
            let ways = self.ways(consumer);
            ways.map(move |(route, target)| (consumer, route, target))
        });
        let (consumer, route, target) = ways.find(|(consumer, route, to)| {
            to.name == target.name
                && overlay::admits(overlay, &subject(consumer, route, to)).is_ok()
        })?;
        Some(point(consumer, route, target))
    }

    /// The routes themselves.
    pub(crate) fn wanted(&self) -> &RouteTable {
        &self.wanted
    }

    /// Whose key these headers carry: as a bearer, or where Anthropic's clients put it. A client may hold a key for
    /// each; the first one that is known counts.
    pub(crate) fn caller(&self, headers: &HeaderMap, probe: KeyHash) -> Result<Caller, Denied> {
        let keys = [bearer(headers), api_key(headers)];
        let known = keys
            .into_iter()
            .flatten()
            .find_map(|key| self.holder(key, probe, clock::now));
        known.ok_or(Denied::WrongKey)
    }

    /// Both sides are hashes of long random keys: how long the comparison takes tells nothing of use.
    /// Only for a key that was replaced it counts when that is.
    fn holder(&self, key: KeyHash, probe: KeyHash, now: fn() -> Timestamp) -> Option<Caller> {
        if key == probe {
            return Some(Caller::Probe);
        }
        if let Some(at) = self.by_key.get(&key) {
            return Some(Caller::Consumer(*at));
        }
        let (at, until) = self.by_old_key.get(&key)?;
        (now() < *until).then_some(Caller::Consumer(*at))
    }

    /// The consumer at a place of the table.
    pub(crate) fn consumer(&self, at: usize) -> Result<&Consumer, Denied> {
        self.wanted.consumers().get(at).ok_or(Denied::WrongKey)
    }

    /// The route of this consumer that takes `model`.
    pub(crate) fn route(&self, consumer: &Consumer, model: &str) -> Result<&Route, Denied> {
        self.wanted
            .route_for(consumer, model)
            .ok_or_else(|| Denied::UnknownModel(shown(model)))
    }

    /// Every way through for one consumer, first choices first.
    pub(crate) fn ways<'a>(
        &'a self,
        consumer: &'a Consumer,
    ) -> impl Iterator<Item = (&'a Route, &'a Target)> {
        consumer
            .routes
            .iter()
            .filter_map(|at| self.wanted.routes().get(*at))
            .flat_map(|route| {
                self.wanted
                    .targets_of(route)
                    .map(move |target| (route, target))
            })
    }

    /// Whether any way of this consumer is open; what closes the first one otherwise.
    pub(crate) fn any_way(
        &self,
        consumer: &Consumer,
        overlay: Option<&Overlay>,
    ) -> Result<(), Denied> {
        let mut first = None;
        for (route, target) in self.ways(consumer) {
            match overlay::admits(overlay, &subject(consumer, route, target)) {
                Ok(()) => return Ok(()),
                Err(denied) => first = first.or(Some(denied)),
            }
        }
        Err(first.unwrap_or(Denied::Closed))
    }

    /// The way a probe names.
    pub(crate) fn way(&self, address: &ProbeAddress) -> Result<(ProbePoint, &Target), Denied> {
        let consumer = self
            .wanted
            .consumers()
            .iter()
            .find(|consumer| consumer.name == address.consumer)
            .ok_or(Denied::NoSuchWay("no such consumer"))?;
        let (route, target) = self
            .ways(consumer)
            .find(|(route, target)| route.name == address.route && target.name == address.target)
            .ok_or(Denied::NoSuchWay(
                "this consumer has no such route to that target",
            ))?;
        Ok((point(consumer, route, target), target))
    }

    /// Everything probes can ask for, and the names a command may use.
    pub(crate) fn points(&self) -> ProbePoints {
        let wanted = &self.wanted;
        let routes = wanted.routes().iter().map(|route| &route.name);
        let consumers = wanted.consumers().iter().map(|consumer| &consumer.name);
        ProbePoints {
            names: routes.chain(consumers).cloned().collect(),
            points: wanted
                .consumers()
                .iter()
                .flat_map(|consumer| {
                    self.ways(consumer)
                        .map(move |(route, target)| point(consumer, route, target))
                })
                .take(MAX_POINTS)
                .collect(),
        }
    }
}

/// One way through, as a scope is held against it.
pub(crate) fn subject<'a>(
    consumer: &'a Consumer,
    route: &'a Route,
    target: &Target,
) -> Subject<'a> {
    Subject {
        kind: route.kind,
        route: &route.name,
        consumer: Some(&consumer.name),
        class: Some(target.class),
    }
}

/// One way through, by its names.
pub(crate) fn point(consumer: &Consumer, route: &Route, target: &Target) -> ProbePoint {
    ProbePoint {
        kind: route.kind,
        consumer: consumer.name.clone(),
        route: route.name.clone(),
        target: target.name.clone(),
        class: target.class,
    }
}

/// A model's name as it may be shown and stored: at most 128 characters, none that control a terminal.
pub(crate) fn shown(model: &str) -> String {
    net_model::shown(model, 128)
}

fn bearer(headers: &HeaderMap) -> Option<KeyHash> {
    let value = headers.get(header::AUTHORIZATION)?.as_bytes();
    let (scheme, key) = value.split_at_checked(7)?;
    scheme
        .eq_ignore_ascii_case(b"bearer ")
        .then(|| KeyHash::of(key.trim_ascii()))
}

fn api_key(headers: &HeaderMap) -> Option<KeyHash> {
    let key = headers.get(API_KEY)?.as_bytes();
    Some(KeyHash::of(key.trim_ascii()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use kill_wire::{Class, LatchSet, RouteKind, Scope};
    use net_model::{ModelPattern, Secret};

    fn table() -> Table {
        let base = "http://127.0.0.1:1/v1";
        let target =
            |name: &str, class| Target::new(name.parse().unwrap(), class, base.parse().unwrap());
        let route = |name: &str, model: &str, targets| Route {
            name: name.parse().unwrap(),
            kind: RouteKind::Llm,
            models: vec![ModelPattern::new(model).unwrap()],
            targets,
        };
        let consumer = |name: &str, routes| {
            let key = Secret::new(name).unwrap().hash();
            Consumer::new(name.parse().unwrap(), key, routes)
        };
        Table::new(
            RouteTable::new(
                vec![target("home", Class::Local), target("away", Class::Cloud)],
                vec![
                    route("chat", "gpt*", vec![0, 1]),
                    route("far", "*", vec![1]),
                ],
                vec![consumer("claw", vec![0, 1]), consumer("rag", vec![1])],
            )
            .unwrap(),
            Zone::UTC,
            None,
        )
    }

    fn overlay(scopes: &[&str]) -> Overlay {
        let mut latches = LatchSet::default();
        let mut incident = kill_wire::Incident::FIRST;
        for scope in scopes {
            latches
                .push(kill_wire::Latch {
                    incident,
                    scope: scope.parse().unwrap(),
                    since: kill_wire::Timestamp::default(),
                })
                .unwrap();
            incident = incident.next();
        }
        Overlay {
            seq: 1,
            latches,
            paused: vec![],
            held: vec![],
        }
    }

    fn with_key(value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, value.parse().unwrap());
        headers
    }

    #[test]
    fn a_key_is_known_whatever_the_case_of_the_scheme() {
        let probe = Secret::new("probe").unwrap().hash();
        let who = |value: &str| table().caller(&with_key(value), probe);
        assert_eq!(who("Bearer claw"), Ok(Caller::Consumer(0)));
        assert_eq!(who("bEARER  rag"), Ok(Caller::Consumer(1)));
        assert_eq!(who("Bearer probe"), Ok(Caller::Probe));
        for wrong in ["Bearer claw2", "claw", "Basic claw", "Bearer", "Bearer "] {
            assert_eq!(who(wrong), Err(Denied::WrongKey), "{wrong}");
        }
        let mut both = with_key("Bearer of-another-house");
        both.insert("x-api-key", "rag".parse().unwrap());
        assert_eq!(table().caller(&both, probe), Ok(Caller::Consumer(1)));
        both.remove("authorization");
        assert_eq!(table().caller(&both, probe), Ok(Caller::Consumer(1)));
        both.insert("x-api-key", "rag2".parse().unwrap());
        assert_eq!(table().caller(&both, probe), Err(Denied::WrongKey));
    }

    #[test]
    fn a_key_that_was_replaced_counts_until_its_end_and_no_longer() {
        let before = table();
        let mut consumers = before.wanted().consumers().to_vec();
        let old = KeyHash::of(b"claw before");
        consumers[0].old_key = Some(net_model::OldKey {
            key: old,
            until: Timestamp::from_millis(1000),
        });
        let (targets, routes) = (before.wanted().targets(), before.wanted().routes());
        let wanted = RouteTable::new(targets.to_vec(), routes.to_vec(), consumers).unwrap();
        let table = Table::new(wanted, Zone::UTC, None);
        let probe = KeyHash::of(b"probe");
        let at = |now| table.holder(old, probe, now);
        assert_eq!(
            at(|| Timestamp::from_millis(999)),
            Some(Caller::Consumer(0))
        );
        assert_eq!(at(|| Timestamp::from_millis(1000)), None);
        let new = Secret::new("claw").unwrap().hash();
        let end = || Timestamp::from_millis(u64::MAX);
        assert_eq!(table.holder(new, probe, end), Some(Caller::Consumer(0)));
    }

    #[test]
    fn a_consumer_with_one_way_left_is_let_in() {
        let table = table();
        let claw = table.consumer(0).unwrap();
        let rag = table.consumer(1).unwrap();
        let cloud = overlay(&["cloud"]);
        assert_eq!(table.any_way(claw, Some(&cloud)), Ok(()));
        assert_eq!(
            table.any_way(rag, Some(&cloud)),
            Err(Denied::Cut(Scope::Cloud, kill_wire::Incident::FIRST))
        );
        let both = overlay(&["chat", "far"]);
        assert_eq!(
            table.any_way(claw, Some(&both)).unwrap_err().incident(),
            Some(kill_wire::Incident::FIRST)
        );
        assert_eq!(table.any_way(claw, None), Err(Denied::Closed));
    }

    #[test]
    fn probes_are_offered_every_way_and_no_other() {
        let table = table();
        let points = table.points();
        assert_eq!(points.points.len(), 4);
        assert_eq!(points.names.len(), 4);
        for point in &points.points {
            assert_eq!(table.way(&point.address()).unwrap().0, *point);
        }
        let wrong = "consumer=rag;route=chat;target=home".parse().unwrap();
        assert!(table.way(&wrong).is_err());
    }

    #[test]
    fn a_model_is_shown_short_and_harmless() {
        assert_eq!(shown("a\u{1b}[2J\n"), "a\u{fffd}[2J\u{fffd}");
        assert_eq!(shown(&"x".repeat(500)).len(), 128);
    }
}
