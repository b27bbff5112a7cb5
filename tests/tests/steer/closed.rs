//! What is cut stays cut, whatever is being written and however the targets fare.

use crate::house::{Answer, House, chats, wait_for};
use site_tests::apisix::{Fault, Trouble};
use site_tests::upstream::Script;
use std::time::Duration;

const ROUTES: &str = "/apisix/admin/routes";

fn cut_by(answer: &Answer, incident: u32) -> bool {
    let header = format!("x-portcullis-incident: {incident}");
    answer.status == 503 && answer.head.lines().any(|line| line == header)
}

/// A write of routes that has not been answered.
fn writing(house: &House) -> bool {
    let calls = house.twin.calls();
    let mut calls = calls.iter().rev();
    calls.any(|it| it.method == "PUT" && it.path.starts_with(ROUTES) && it.status.is_none())
}

#[test]
fn with_cloud_cut_no_request_reaches_outside_whatever_the_breakers_say() {
    let mut house = House::new();
    for round in 0..8_u32 {
        house.local.play(None);
        assert_eq!(house.order(&[]).failed, Vec::<String>::new());
        wait_for("home", || house.ask().status == 200 && !house.notes("->"));
        // The cut comes before, while and after the route turns outside.
        house.local.play(Some(Script::Error500));
        for _ in 0..3 {
            house.ask();
        }
        std::thread::sleep(Duration::from_millis(u64::from(round) * 211));
        let receipt = house.order(&[(round + 1, "CLOUD")]);
        assert_eq!(receipt.failed, Vec::<String>::new(), "round {round}");
        let outside = chats(&house.far);
        for ask in 0..40 {
            if ask == 25 {
                house.local.play(None);
            }
            let answer = house.ask();
            assert_eq!(chats(&house.far), outside, "round {round}: {answer:?}");
            std::thread::sleep(Duration::from_millis(40));
        }
        wait_for("the local target", || {
            assert_eq!(chats(&house.far), outside, "round {round}");
            house.ask().status == 200
        });
    }
    house.local.play(Some(Script::Error500));
    house.order(&[]);
    house.fall_back();
    house.stop();
}

#[test]
fn a_write_that_leads_outside_and_comes_about_late_opens_nothing() {
    let mut house = House::new();
    let late = Trouble::DoneLate(Duration::from_millis(1500));
    house
        .twin
        .fault(Fault::new(late).method("PUT").path(ROUTES).times(1));
    house.local.play(Some(Script::Error500));
    wait_for("a write that hangs", || {
        house.ask();
        writing(&house)
    });
    house.order(&[(4, "CLOUD")]);
    for _ in 0..60 {
        house.ask();
        assert_eq!(chats(&house.far), 0);
        std::thread::sleep(Duration::from_millis(50));
    }
    house.local.play(None);
    wait_for("home", || house.ask().status == 200);
    assert_eq!(chats(&house.far), 0);
    house.stop();
}

#[test]
fn a_slow_reconcile_delays_no_cut() {
    let mut house = House::new();
    let slow = Trouble::Slow(Duration::from_secs(20));
    house
        .twin
        .fault(Fault::new(slow).method("PUT").path(ROUTES));
    house.local.play(Some(Script::Error500));
    wait_for("a write that hangs", || {
        house.ask();
        writing(&house)
    });
    let receipt = house.order(&[(5, "LLM")]);
    assert!(writing(&house), "the cut did not wait for it");
    assert_eq!(receipt.failed, Vec::<String>::new());
    let answer = house.ask();
    assert!(cut_by(&answer, 5), "{answer:?}");
    house.twin.calm();
    house.stop();
}

#[test]
fn a_gateway_whose_routes_cannot_be_written_is_told_of_and_still_cut() {
    let mut house = House::new();
    let broken = Fault::new(Trouble::Status(500)).method("PUT").path(ROUTES);
    house.twin.fault(broken);
    house.local.play(Some(Script::Error500));
    wait_for("the report", || {
        house.ask();
        house.notes("not as wanted: ")
    });
    assert_eq!(house.order(&[(6, "ALL")]).failed, Vec::<String>::new());
    assert!(cut_by(&house.ask(), 6));
    house.twin.calm();
    house.order(&[]);
    wait_for("the fallback", || house.ask().status == 200);
    wait_for("the report", || !house.notes("not as wanted: "));
    house.stop();
}
