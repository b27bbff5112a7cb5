use super::*;
use kill_wire::{Latch, LatchSet, RouteKind, Scope, Timestamp};
use net_model::{Consumer, KeyHash, ModelPattern, Target};
use proptest::prelude::*;

const ROUTES: [(&str, RouteKind); 3] = [
    ("chat", RouteKind::Llm),
    ("files", RouteKind::Tool),
    ("claw-in", RouteKind::Agent),
];
const CONSUMERS: [&str; 2] = ["claw", "paw"];

fn table() -> RouteTable {
    let target = |name: &str, class| {
        Target::new(
            name.parse().unwrap(),
            class,
            "http://127.0.0.1:1".parse().unwrap(),
        )
    };
    let route = |(name, kind): (&str, RouteKind)| Route {
        name: name.parse().unwrap(),
        kind,
        models: vec![ModelPattern::new("*").unwrap()],
        targets: vec![0, 1],
    };
    let consumer = |name: &&str| {
        let key = KeyHash::of(name.as_bytes());
        Consumer::new(name.parse().unwrap(), key, vec![0, 1, 2])
    };
    RouteTable::new(
        vec![target("box", Class::Local), target("sky", Class::Cloud)],
        ROUTES.map(route).to_vec(),
        CONSUMERS.iter().map(consumer).collect(),
    )
    .unwrap()
}

fn overlay(latches: &[Scope], paused: &[Scope], held: &[Scope]) -> Overlay {
    let latch = |(scope, n): (&Scope, u32)| Latch {
        incident: n.try_into().unwrap(),
        scope: scope.clone(),
        since: Timestamp::from_millis(1),
    };
    let latches: Vec<Latch> = latches.iter().zip(1..).map(latch).collect();
    Overlay {
        seq: 1,
        latches: LatchSet::try_from(latches).unwrap(),
        paused: paused.to_vec(),
        held: held.to_vec(),
    }
}

/// As a gateway reads it: by which reason this way is closed.
fn read(closing: &Closing, consumer: Option<&str>, route: &str, class: Class) -> Option<Closed> {
    if closing.all.is_some() {
        return closing.all;
    }
    let of_route = closing
        .routes
        .iter()
        .find(|(name, _)| name.as_str() == route);
    let mut ways = closing.ways.iter();
    let of_way =
        ways.find(|(who, name, _)| Some(who.as_str()) == consumer && name.as_str() == route);
    let mut clouds = closing.no_cloud.iter();
    let of_cloud = clouds.find(|(name, _)| class == Class::Cloud && name.as_str() == route);
    of_route
        .map(|(_, why)| *why)
        .or(of_way.map(|(_, _, why)| *why))
        .or(of_cloud.map(|(_, why)| *why))
}

fn means(overlay: &Overlay, consumer: Option<&str>, route: usize, class: Class) -> Option<Closed> {
    let (name, kind) = ROUTES[route];
    let consumer: Option<Name> = consumer.map(|name| name.parse().unwrap());
    let subject = Subject {
        kind,
        route: &name.parse().unwrap(),
        consumer: consumer.as_ref(),
        class: Some(class),
    };
    overlay.overrules(&subject).map(closed)
}

/// Every way, also that of somebody who is no consumer.
fn every_way() -> impl Iterator<Item = (Option<&'static str>, usize, Class)> {
    let askers = [None, Some(CONSUMERS[0]), Some(CONSUMERS[1])];
    askers.into_iter().flat_map(|asker| {
        (0..ROUTES.len()).flat_map(move |route| {
            [Class::Local, Class::Cloud].map(move |class| (asker, route, class))
        })
    })
}

fn scope() -> impl Strategy<Value = Scope> {
    let words = [
        "ALL", "LLM", "CLOUD", "AGENTS", "TOOLS", "chat", "files", "claw-in", "claw", "paw", "gone",
    ];
    proptest::sample::select(words.map(|word| word.parse::<Scope>().unwrap()).to_vec())
}

fn scopes(most: usize) -> impl Strategy<Value = Vec<Scope>> {
    proptest::collection::btree_set(scope(), 0..=most).prop_map(|set| set.into_iter().collect())
}

proptest! {
    #[test]
    fn latches_close_exactly_what_they_mean(latches in scopes(4).prop_shuffle()) {
        let overlay = overlay(&latches, &[], &[]);
        let closing = Closing::of(&overlay, &table());
        for (asker, route, class) in every_way() {
            let meant = means(&overlay, asker, route, class);
            let read = read(&closing, asker, ROUTES[route].0, class);
            prop_assert_eq!(read.is_some(), meant.is_some(), "{:?} {} {:?}", asker, route, class);
            // Which of several is named may differ: each of them is a cut that holds.
            prop_assert!(read.is_none_or(|why| why.is_some()));
        }
    }

    #[test]
    fn pauses_and_what_is_held_close_what_they_mean_to_every_consumer_or_more(
        latches in scopes(2),
        paused in scopes(3),
        held in scopes(2),
    ) {
        let overlay = overlay(&latches, &paused, &held);
        let closing = Closing::of(&overlay, &table());
        for (asker, route, class) in every_way().filter(|(asker, ..)| asker.is_some()) {
            let meant = means(&overlay, asker, route, class);
            let read = read(&closing, asker, ROUTES[route].0, class);
            prop_assert!(read.is_some() || meant.is_none(), "{:?} {} {:?}", asker, route, class);
            // More only where it is about what leads outside, which has no list of its own for each consumer.
            let exact = meant.is_some() || read.is_none();
            let about_cloud = [&paused, &held].into_iter().any(|list| list.contains(&Scope::Cloud));
            let held_apart = !held.is_empty();
            prop_assert!(exact || about_cloud && held_apart, "{:?} {} {:?}", asker, route, class);
        }
    }

    #[test]
    fn a_table_of_nothing_is_closed_as_a_whole(latches in scopes(2), paused in scopes(2)) {
        let overlay = overlay(&latches, &paused, &[]);
        let closing = Closing::of(&overlay, &RouteTable::default());
        let closes = !latches.is_empty() || !paused.is_empty();
        prop_assert_eq!(closing.all.is_some(), closes);
        prop_assert_eq!(closing.is_empty(), !closes);
    }

    #[test]
    fn more_is_closed_just_when_some_way_is_closed_that_was_open(
        before in scopes(3),
        now in scopes(3),
    ) {
        let of = |latches: &[Scope]| Closing::of(&overlay(latches, &[], &[]), &table());
        let (before, now) = (of(&before), of(&now));
        let newly = every_way().any(|(asker, route, class)| {
            let closed = |closing| read(closing, asker, ROUTES[route].0, class).is_some();
            closed(&now) && !closed(&before)
        });
        let more = now.closes_more_than(&before);
        // Whoever closed every route may still not have closed what no route names.
        let beyond = now.all.is_some() && before.all.is_none();
        prop_assert_eq!(more, newly || beyond);
    }
}

#[test]
fn the_incident_named_is_that_of_the_widest_cut() {
    let named = |latches: &[&str]| {
        let latches: Vec<Scope> = latches.iter().map(|word| word.parse().unwrap()).collect();
        let closing = Closing::of(&overlay(&latches, &[], &[]), &table());
        closing.incident().map(Incident::get)
    };
    assert_eq!(named(&["claw", "chat"]), Some(2));
    assert_eq!(named(&["CLOUD", "claw"]), Some(2));
    assert_eq!(named(&["claw", "LLM", "ALL"]), Some(3));
    assert_eq!(named(&[]), None);
    let paused = Closing::of(&overlay(&[], &[Scope::All], &[]), &table());
    assert_eq!((paused.all, paused.incident()), (Some(None), None));
}

#[test]
fn what_is_held_for_one_consumer_stays_open_to_it_alone() {
    let claw: Scope = "claw".parse().unwrap();
    let closing = Closing::of(&overlay(&[], &[Scope::All], &[claw]), &table());
    assert!(closing.all.is_none() && closing.routes.is_empty());
    assert_eq!(read(&closing, Some("claw"), "chat", Class::Cloud), None);
    assert_eq!(
        read(&closing, Some("paw"), "chat", Class::Local),
        Some(None)
    );
}
