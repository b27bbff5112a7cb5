use super::*;
use crate::house::{GatewayDot, Hold, Lead, ZoneDots};
use kill_wire::{AgentState, Class, Incident, RouteKind, Timestamp};
use net_model::BreakerState;

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
        ..HouseHosts::default()
    }
}

/// It stands on the first host of the zone `red`, and leads to a target outside that ours has too, and to one of its own.
fn gateway(n: usize, hold: Hold) -> GatewayDot {
    let lead = |target: &str, class, state| Lead {
        target: target.to_owned(),
        class,
        state,
        unwell: false,
    };
    GatewayDot {
        name: format!("edge-{n}"),
        kind: "apisix".to_owned(),
        host: "red-0".to_owned(),
        zone: Some("red".to_owned()),
        address: "198.18.30.2".parse().unwrap(),
        hold,
        leads: vec![
            lead("box-0", Class::Cloud, BreakerState::Closed),
            lead(&format!("far-{n}"), Class::Local, BreakerState::Open),
        ],
    }
}

fn of<'a>(map: &'a Map, name: &str) -> &'a Box {
    map.boxes.iter().find(|it| it.full == name).unwrap()
}

/// What a box says below its name.
fn says(it: &Box) -> Vec<&str> {
    it.more.iter().map(|(_, text)| text.as_str()).collect()
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
    for (hosts, routes, targets) in [
        (0, 0, 0),
        (1, 1, 1),
        (30, 3, 5),
        (30, 40, 2),
        (3, 2, 40),
        (2, 2, 2),
        (1, 1, 5),
    ] {
        let mut house = house(vec![zone("red", hosts / 2), zone("lan", hosts - hosts / 2)]);
        let others = [0, 1, 8, 40];
        house.gateways = (0..others[(hosts + routes + targets) % 4])
            .map(|n| gateway(n, Hold::Follows))
            .collect();
        let map = Map::of(&snapshot(routes, targets, None), &house);
        let places = all(&map);
        for (at, a) in places.iter().enumerate() {
            assert!(
                a.right() <= 930 && a.bottom() < map.height && a.y >= 10,
                "{a:?}"
            );
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
    let cut: Vec<bool> = map.edges.iter().map(|edge| edge.tone == "cut").collect();
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
    assert!(map.edges.iter().all(|edge| edge.tone == "cut"));
}

#[test]
fn many_hosts_are_counted_by_zone() {
    let map = Map::of(&snapshot(1, 1, None), &house(vec![zone("red", 31)]));
    assert!(map.zones[0].hosts.is_empty());
    assert_eq!(map.zones[0].count.as_deref(), Some("31 of 31 heard"));
    assert!(map.height < 200);
}

#[test]
fn gateways_that_are_not_ours_stand_below_ours_and_lead_to_their_targets() {
    let mut house = house(vec![zone("red", 2)]);
    house.gateways = vec![gateway(0, Hold::Follows), gateway(1, Hold::Follows)];
    let map = Map::of(&snapshot(1, 2, None), &house);
    let lowest = map
        .boxes
        .iter()
        .filter(|it| !it.full.starts_with("edge") && !it.full.starts_with("far"));
    let lowest = lowest.map(|it| it.place.bottom()).max().unwrap();
    for name in ["edge-0", "edge-1"] {
        assert!(
            of(&map, name).place.y > lowest,
            "nothing of ours lies between one and its targets"
        );
        assert_eq!(says(of(&map, name)), ["apisix on red-0", "follows"]);
    }
    assert_eq!(says(of(&map, "far-1")), ["local, left alone"]);
    assert_eq!(map.boxes.iter().filter(|it| it.full == "box-0").count(), 1);
    // Of each of the two, behind the five of ours: where it stands, the way outside, the way that is left alone.
    let tones: Vec<&str> = map.edges.iter().skip(4).map(|edge| edge.tone).collect();
    assert_eq!(tones, ["stands", "", "idle", "stands", "", "idle"]);
    let line = map.zones[0].hosts[0].y - 4;
    assert!(
        map.edges[4].path.starts_with(&format!("M210 {line}C")),
        "from its own host's line"
    );
}

#[test]
fn a_gateway_is_drawn_closed_where_it_follows_and_nowhere_else() {
    for (scope, tone, text, cut) in [
        (Scope::All, "cut", "follows, ALL cut", [true, true]),
        (Scope::Cloud, "warn", "follows, CLOUD cut", [true, false]),
        (Scope::Llm, "warn", "follows, LLM cut", [true, false]),
        (Scope::Tools, "warn", "follows, TOOLS cut", [false, false]),
    ] {
        let mut house = house(vec![zone("red", 2)]);
        house.gateways = vec![gateway(0, Hold::Follows)];
        let snapshot = snapshot(1, 1, Some(scope));
        let ways = |map: &Map| [map.edges[4].tone == "cut", map.edges[5].tone == "cut"];
        let map = Map::of(&snapshot, &house);
        let edge = of(&map, "edge-0");
        assert_eq!((edge.tone, says(edge)[1]), (tone, text));
        assert_eq!(ways(&map), cut, "{text}");
        for (hold, tone, text) in [
            (Hold::Behind, "bad", "does not follow"),
            (Hold::Silent, "warn", "not heard from"),
        ] {
            house.gateways[0].hold = hold;
            let map = Map::of(&snapshot, &house);
            let edge = of(&map, "edge-0");
            assert_eq!((edge.tone, says(edge)[1]), (tone, text));
            assert_eq!(ways(&map), [false, false], "nobody saw it closed");
            assert!(
                map.words
                    .iter()
                    .any(|it| it.contains(text) && it.contains("edge-0"))
            );
        }
    }
}

#[test]
fn what_a_host_claims_of_its_gateway_counts_no_more_than_what_its_agent_confirmed() {
    let mut house = house(vec![zone("red", 2)]);
    house.gateways = vec![gateway(0, Hold::Follows)];
    let mut snapshot = snapshot(1, 1, Some(Scope::All));
    let agent = |address: &str, problem: Option<&str>| AgentState {
        address: address.to_owned(),
        seq: Some(3),
        heard: None,
        problem: problem.map(str::to_owned),
    };
    let mut text = |agents| {
        snapshot.killswitch.as_mut().unwrap().agents = agents;
        says(of(&Map::of(&snapshot, &house), "edge-0"))[1].to_owned()
    };
    let other = || agent("198.18.30.3:7413", Some("does not confirm"));
    assert_eq!(
        text(vec![agent("198.18.30.2:7413", None), other()]),
        "follows, ALL cut"
    );
    let silent = || agent("198.18.30.2:7413", Some("does not confirm"));
    assert_eq!(text(vec![silent(), other()]), "does not follow");
    assert_eq!(
        text(vec![silent(), agent("198.18.30.2:7513", None)]),
        "follows, ALL cut"
    );
}

#[test]
fn long_names_end_in_their_boxes_and_many_gateways_are_counted() {
    let mut house = house(vec![zone("red", 2)]);
    house.gateways = (0..12).map(|n| gateway(n, Hold::Follows)).collect();
    house.gateways[0].name = "the-gateway-at-the-edge-of-the-house".to_owned();
    house.more_gateways = 3;
    let map = Map::of(&snapshot(1, 1, None), &house);
    assert_eq!(map.boxes.iter().filter(|it| it.more.len() == 2).count(), 8);
    let long = of(&map, "the-gateway-at-the-edge-of-the-house");
    assert_eq!(long.name.1, "the-gateway-at-t…");
    assert!(map.words.iter().any(|it| it.contains("Gateway edge-11 (apisix) on red-0, zone red: follows, leads to")));
    assert!(map.words.iter().any(|it| it.starts_with("3 more gateways")));
    let drawn = map.render().unwrap();
    assert!(drawn.contains("<title>the-gateway-at-the-edge-of-the-house</title>"));
    assert!(drawn.len() < 40_000, "{}", drawn.len());
}
