//! What may be said of a cut: probes, and streams that were open before it.

use crate::gateway::Pair;
use crate::house::House;
use kill_wire::{CutReport, DrillState, LeverReply, LeverRequest, Outcome, Scope};
use killswitchd::{Direct, Settings, Vantage};
use std::time::{Duration, Instant};

fn settings(pair: &Pair) -> Settings {
    Settings {
        agents: vec![pair.agent],
        vantages: vec![Vantage::own(pair.gateway, "prb_test".to_owned())],
        ..Settings::default()
    }
}

/// Up, with its probes working and its stream held.
fn watching(pair: &Pair) -> House {
    let house = House::up(settings(pair));
    house.wait("well", |state| state.canaries.good == 1);
    let until = Instant::now() + crate::house::LIMIT;
    while pair.script.lock().unwrap().held == 0 {
        assert!(Instant::now() < until, "no stream was held");
        std::thread::sleep(Duration::from_millis(10));
    }
    house
}

fn cut(house: &House) -> CutReport {
    let request = LeverRequest::Cut {
        scope: Scope::Llm,
        by: "test".to_owned(),
        why: "to see".to_owned(),
    };
    match house.ask(&request) {
        LeverReply::Cut(report) => report,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_stream_that_was_open_before_is_part_of_the_proof() {
    let pair = Pair::up();
    let house = watching(&pair);
    let report = cut(&house);
    assert_eq!(report.outcome, Outcome::Cut, "{report:?}");
    assert_eq!((report.proof.probes, report.proof.probes_dead), (2, 2));
}

#[test]
fn a_stream_that_goes_on_through_the_cut_is_named() {
    let pair = Pair::up();
    pair.script.lock().unwrap().leaks = true;
    let house = watching(&pair);
    let report = cut(&house);
    assert_eq!(report.outcome, Outcome::Partial, "{report:?}");
    assert_eq!(report.proof.still_open, ["chat stream"]);
    assert!(
        report.text.contains("STILL OPEN: chat stream"),
        "{}",
        report.text
    );
}
#[test]
fn a_cut_repeated_after_a_restart_is_still_proven() {
    let pair = Pair::up();
    let house = watching(&pair);
    assert_eq!(cut(&house).outcome, Outcome::Cut);
    let house = House::up_in(house.down(), settings(&pair));
    house.wait("round", |state| state.canaries.at.is_some());
    let again = cut(&house);
    assert!(again.repeated);
    assert_eq!(again.outcome, Outcome::Cut, "{again:?}");
}

/// Cuts with one way past the gateway, which looks like this before and after.
fn cut_past(before: &'static str, after: &'static str) -> CutReport {
    let pair = Pair::up();
    pair.script.lock().unwrap().past = Some([before, after]);
    let house = House::up(Settings {
        direct: vec![Direct {
            name: "claw-v6".to_owned(),
            scope: Scope::Llm,
            via: pair.agent,
            address: "[2001:db8::1]:443".parse().unwrap(),
        }],
        ..settings(&pair)
    });
    let until = Instant::now() + crate::house::LIMIT;
    // The gateway's way, and the one past it.
    while drilled(&house).probes != (2, 2) {
        assert!(
            Instant::now() < until,
            "never looked: {:?}",
            drilled(&house)
        );
    }
    cut(&house)
}

fn drilled(house: &House) -> DrillState {
    let by = "test".to_owned();
    match house.ask(&LeverRequest::Drill { by }) {
        LeverReply::Drilled { drill } => drill,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_way_past_the_gateway_that_a_cut_closes_is_part_of_the_proof() {
    let report = cut_past("open", "refused");
    assert_eq!(report.outcome, Outcome::Cut, "{report:?}");
}

#[test]
fn a_way_past_the_gateway_that_stays_open_or_unseen_is_named() {
    for (after, named) in [
        ("open", "direct claw-v6"),
        ("untried", "direct claw-v6 (not seen)"),
    ] {
        let report = cut_past("open", after);
        assert_eq!(report.outcome, Outcome::Partial, "{report:?}");
        assert!(
            report.proof.still_open.contains(&named.to_owned()),
            "{report:?}"
        );
    }
}

#[test]
fn a_way_past_the_gateway_that_was_never_open_is_not_counted() {
    let report = cut_past("silent", "silent");
    assert_eq!(report.outcome, Outcome::Cut, "{report:?}");
    assert!(report.proof.probes <= 2);
}
