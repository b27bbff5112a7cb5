use super::*;
use crate::house::ZoneDots;
use kill_wire::{Incident, RouteKind, StateReport, Timestamp};

fn zone(name: &str, hosts: usize) -> ZoneDots {
    let dot = |n| HostDot {
        name: format!("{name}-{n}"),
        tone: "good",
    };
    ZoneDots {
        name: name.to_owned(),
        joined: hosts as u64,
        heard: hosts as u64,
        hosts: (hosts <= BY_NAME).then(|| (0..hosts).map(dot).collect()),
    }
}

fn house(zones: Vec<ZoneDots>) -> HouseHosts {
    HouseHosts {
        zones,
        problem: None,
    }
}

fn snapshot(routes: usize, targets: usize, cut: Option<Scope>) -> Snapshot {
    let mut points = Vec::new();
    for route in 0..routes {
        for target in 0..targets {
            points.push(ProbePoint {
                kind: RouteKind::Llm,
                consumer: "claw".parse().unwrap(),
                route: format!("route-{route}").parse().unwrap(),
                target: format!("box-{target}").parse().unwrap(),
                class: if target == 0 {
                    Class::Cloud
                } else {
                    Class::Local
                },
            });
        }
    }
    let mut latches = LatchSet::default();
    if let Some(scope) = cut {
        let (incident, since) = (Incident::FIRST, Timestamp::default());
        latches
            .push(Latch {
                incident,
                scope,
                since,
            })
            .unwrap();
    }
    Snapshot {
        at: Timestamp::default(),
        killswitch: Ok(StateReport {
            points,
            latches,
            ..StateReport::default()
        }),
        incidents: Vec::new(),
        gateway: Ok(net_model::GatewayFacts::default()),
        last_hour: net_model::UsageTotals::default(),
        minutes: vec![0; 60],
        remarks: Vec::new(),
        fallbacks: Vec::new(),
        demo: false,
    }
}

fn all(map: &Map) -> Vec<Place> {
    let zones = map.zones.iter().map(|it| it.place.clone());
    zones
        .chain(map.boxes.iter().map(|it| it.place.clone()))
        .collect()
}

#[test]
fn nothing_overlaps_and_nothing_leaves_the_picture_from_none_to_many() {
    for (hosts, routes, targets) in [(0, 0, 0), (1, 1, 1), (30, 3, 5), (30, 40, 2), (3, 2, 40)] {
        let map = Map::of(
            &snapshot(routes, targets, None),
            &house(vec![zone("red", hosts / 2), zone("lan", hosts - hosts / 2)]),
        );
        let places = all(&map);
        for (at, a) in places.iter().enumerate() {
            assert!(a.right() <= 930 && a.bottom() < map.height, "{a:?}");
            for b in &places[at + 1..] {
                let apart =
                    a.right() <= b.x || b.right() <= a.x || a.bottom() <= b.y || b.bottom() <= a.y;
                assert!(
                    apart,
                    "{a:?} {b:?} with {hosts} hosts, {routes} routes, {targets} targets"
                );
            }
        }
    }
}

#[test]
fn what_is_cut_is_drawn_cut_and_said_in_words() {
    let map = Map::of(
        &snapshot(1, 2, Some(Scope::Cloud)),
        &house(vec![zone("red", 2)]),
    );
    let cut: Vec<bool> = map.edges.iter().map(|edge| edge.cut).collect();
    // Zone to gateway, gateway to route, route to the cloud, route to the house.
    assert_eq!(cut, [false, false, true, false]);
    assert!(
        map.words
            .iter()
            .any(|it| it.contains("Route route-0: partly")),
        "{:?}",
        map.words
    );

    let map = Map::of(
        &snapshot(1, 1, Some(Scope::All)),
        &house(vec![zone("red", 2)]),
    );
    assert!(map.edges.iter().all(|edge| edge.cut));
}

#[test]
fn many_hosts_are_counted_by_zone() {
    let map = Map::of(&snapshot(1, 1, None), &house(vec![zone("red", 31)]));
    assert!(map.zones[0].hosts.is_empty());
    assert_eq!(map.zones[0].count.as_deref(), Some("31 of 31 heard"));
    assert!(map.height < 200);
}
