use super::*;
use kill_wire::{Latch, LatchSet, RouteKind, Scope, Timestamp};
use net_model::{Consumer, ModelPattern, RouteTable, Target};
use std::sync::Arc;

fn wanted() -> Wanted {
    let target = |name: &str, class| {
        let at = "http://127.0.0.1:1".parse().unwrap();
        Target::new(name.parse().unwrap(), class, at)
    };
    let route = |name: &str, kind, targets| Route {
        name: name.parse().unwrap(),
        kind,
        models: vec![ModelPattern::new("*").unwrap()],
        targets,
    };
    let consumer = |name: &str| {
        let key = KeyHash::of(name.as_bytes());
        Consumer::new(name.parse().unwrap(), key, vec![0, 1, 2])
    };
    let table = RouteTable::new(
        vec![target("box", Class::Local), target("sky", Class::Cloud)],
        vec![
            route("chat", RouteKind::Llm, vec![0]),
            route("far", RouteKind::Llm, vec![0, 1]),
            route("files", RouteKind::Tool, vec![0]),
        ],
        vec![consumer("claw"), consumer("paw")],
    );
    Wanted {
        table: Arc::new(table.unwrap()),
        ..Wanted::default()
    }
}

fn open(cut: &[&str], paused: &[Scope]) -> String {
    let latch = |(scope, n): (&&str, u32)| Latch {
        incident: n.try_into().unwrap(),
        scope: scope.parse().unwrap(),
        since: Timestamp::from_millis(1),
    };
    let latches: Vec<Latch> = cut.iter().zip(1..).map(latch).collect();
    let overlay = Overlay {
        seq: 9,
        latches: LatchSet::try_from(latches).unwrap(),
        paused: paused.to_vec(),
        held: Vec::new(),
    };
    let standing = Standing::of(&overlay, &wanted());
    assert_eq!(
        standing.name.starts_with("9-0-"),
        cut.is_empty(),
        "{}",
        standing.name
    );
    standing.files.join(" ")
}

#[test]
fn what_is_open_stands_there_and_what_is_closed_does_not() {
    assert_eq!(open(&[], &[]), "all");
    assert_eq!(open(&["ALL"], &[]), "");
    assert_eq!(open(&[], &[Scope::All]), "");
    assert_eq!(open(&["LLM"], &[]), "route/files who/claw who/paw who/-");
    assert_eq!(
        open(&["files"], &[]),
        "route/chat route/far who/claw who/paw who/-"
    );
}

#[test]
fn whoever_is_not_known_is_closed_with_any_consumer_and_any_path_with_any_route() {
    assert_eq!(
        open(&["claw"], &[]),
        "route/chat route/far route/files route/- who/paw"
    );
    assert_eq!(
        open(&["AGENTS"], &[]),
        "route/chat route/far route/files route/-"
    );
    assert_eq!(
        open(&["claw", "chat"], &[]),
        "route/far route/files who/paw"
    );
}

#[test]
fn a_route_that_may_lead_outside_is_closed_with_what_is_outside() {
    assert_eq!(
        open(&["CLOUD"], &[]),
        "route/chat route/files who/claw who/paw who/-"
    );
}

#[test]
fn where_no_route_is_known_any_cut_closes_everything() {
    let latch = Latch {
        incident: Incident::FIRST,
        scope: "claw".parse().unwrap(),
        since: Timestamp::from_millis(1),
    };
    let overlay = Overlay {
        seq: 1,
        latches: LatchSet::try_from(vec![latch]).unwrap(),
        ..Overlay::default()
    };
    let standing = Standing::of(&overlay, &Wanted::default());
    assert!(standing.files.is_empty(), "{:?}", standing.files);
}
