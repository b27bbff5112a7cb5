//! A proof through a gateway that is not ours: it lists nothing and holds no stream, and is asked as a consumer would.

use crate::gateway::Pair;
use crate::house::House;
use http::{HeaderValue, Method, header};
use kill_wire::{
    Class, CutReport, LeverReply, LeverRequest, Outcome, ProbePoint, RouteKind, Scope,
};
use killswitchd::{Point, Settings, Vantage};

fn house(pair: &Pair, key: &'static str) -> House {
    let point = Point {
        point: ProbePoint {
            kind: RouteKind::Llm,
            consumer: "claw".parse().unwrap(),
            route: "chat".parse().unwrap(),
            target: "box".parse().unwrap(),
            class: Class::Local,
        },
        method: Method::GET,
        path: "/v1/models".to_owned(),
        key: Some((header::AUTHORIZATION, HeaderValue::from_static(key))),
    };
    House::up(Settings {
        agents: vec![pair.agent],
        vantages: vec![Vantage::http(pair.gateway, vec![point])],
        ..Settings::default()
    })
}

fn cut(house: &House, scope: &str) -> CutReport {
    let request = LeverRequest::Cut {
        scope: scope.parse::<Scope>().unwrap(),
        by: "test".to_owned(),
        why: "to see".to_owned(),
    };
    match house.ask(&request) {
        LeverReply::Cut(report) => report,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_named_way_that_worked_and_is_refused_with_our_incident_proves_a_cut() {
    let pair = Pair::up();
    let house = house(&pair, "Bearer sk-claw");
    house.wait("well", |state| state.canaries.good == 1);
    let report = cut(&house, "chat");
    assert_eq!(report.outcome, Outcome::Cut, "{report:?}");
    assert_eq!((report.proof.probes, report.proof.probes_dead), (1, 1));
    assert_eq!(pair.script.lock().unwrap().held, 0, "nothing was bought");
}

#[test]
fn a_named_way_that_stays_open_is_named_in_the_answer() {
    let pair = Pair::up();
    pair.script.lock().unwrap().leaks = true;
    let house = house(&pair, "Bearer sk-claw");
    house.wait("well", |state| state.canaries.good == 1);
    let report = cut(&house, "ALL");
    assert_eq!(report.outcome, Outcome::Partial, "{report:?}");
    assert_eq!(report.proof.still_open, ["chat for claw to box"]);
}

#[test]
fn a_way_that_never_worked_proves_nothing() {
    let pair = Pair::up();
    let house = house(&pair, "Bearer sk-of-nobody");
    house.wait("round", |state| state.canaries.at.is_some());
    assert_eq!(house.state().canaries.good, 0);
    let report = cut(&house, "ALL");
    assert_ne!(report.outcome, Outcome::Cut, "{report:?}");
}
