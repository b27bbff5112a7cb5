//! Where a route leads follows how its targets fare, and what somebody else changed is put right.

use crate::house::{House, chats, wait_for};
use net_model::BreakerState;
use serde_json::json;
use site_tests::upstream::Upstream;

#[test]
fn a_local_target_that_fails_repeatedly_is_stood_in_for_and_takes_over_again_by_itself() {
    let house = House::new();
    assert_eq!(chats(&house.far), 0);
    assert!(!house.notes("->"), "{:?}", house.fact());
    house.fall_back();
    wait_for("the report", || {
        house.notes("chat: ollama (breaker open) -> far")
    });
    assert!(house.fact().follows && house.fact().managed);
    house.local.play(None);
    let before = chats(&house.local);
    wait_for("the return", || {
        assert_eq!(house.ask().status, 200, "nobody pays for the way back");
        chats(&house.local) > before + 3
    });
    wait_for("the report", || !house.notes("->"));
    let away = chats(&house.far);
    for _ in 0..10 {
        assert_eq!(house.ask().status, 200);
    }
    assert_eq!(chats(&house.far), away);
    house.stop();
}

#[test]
fn a_target_that_is_gone_is_found_out_by_its_probe_before_many_pay_for_it() {
    let mut house = House::new();
    let gone = house.local.addr;
    house.local = Upstream::start().unwrap();
    wait_for("the report", || {
        house.notes("chat: ollama (breaker open) -> far")
    });
    assert_eq!(chats(&house.far), 0, "no request was needed");
    wait_for("the fallback", || house.ask().status == 200);
    assert_eq!(chats(&house.far), 1);
    let listener = std::net::TcpListener::bind(gone).unwrap();
    house.local = Upstream::on(listener, None, None).unwrap();
    wait_for("the return", || {
        house.ask().status == 200 && chats(&house.local) > 0
    });
    house.stop();
}

#[test]
fn reports_say_how_each_target_fares_by_the_probes_of_the_agent_and_the_checks_of_the_gateway() {
    let mut house = House::new();
    let fares = |house: &House, name: &str| {
        let fact = house.fact();
        let found = fact.targets.iter().find(|it| it.name.as_str() == name);
        found.map(|it| (it.state, it.probed, it.checked))
    };
    wait_for("both verdicts", || {
        fares(&house, "ollama") == Some((BreakerState::Closed, Some(true), Some(true)))
            && fares(&house, "far") == Some((BreakerState::Closed, Some(true), None))
    });
    house.local = Upstream::start().unwrap();
    wait_for("both verdicts of the one that is gone", || {
        fares(&house, "ollama") == Some((BreakerState::Open, Some(false), Some(false)))
    });
    let fact = house.fact();
    let first = &fact.targets[0];
    assert_eq!(
        first.name.as_str(),
        "ollama",
        "what is not well comes first"
    );
    assert!(first.why.is_some() && first.since.is_some(), "{first:?}");
    house.twin.control_down(true);
    wait_for("that the checks are not known", || {
        fares(&house, "ollama") == Some((BreakerState::Open, Some(false), None))
            && house.notes("its control API cannot be reached")
    });
    assert!(house.fact().follows, "{:?}", house.fact());
    house.stop();
}

#[test]
fn what_somebody_else_changed_is_put_right_counted_and_told() {
    let house = House::new();
    let path = "routes/portcullis-chat";
    let wanted = house.twin.stored(path).unwrap();
    let mut changed = wanted.clone();
    changed["plugins"]["key-auth"] = json!({});
    changed["plugins"]["consumer-restriction"]["whitelist"] = json!(["somebody"]);
    let others = json!({ "uri": "/others/*", "upstream": { "type": "roundrobin", "nodes": { "127.0.0.1:1": 1 } } });
    house.twin.place("routes/others", others).unwrap();
    house.twin.place(path, changed).unwrap();
    wait_for("the route as it was", || {
        house.twin.stored(path).unwrap()["plugins"] == wanted["plugins"]
    });
    wait_for("the report", || {
        house.notes("was put right: route portcullis-chat (changed)")
    });
    assert_eq!(house.fact().drifted, 1);
    assert!(house.twin.stored("routes/others").is_some(), "not ours");
    house.stop();
}

#[test]
fn nothing_is_written_before_the_gateway_holds_what_is_closed() {
    let house = House::new();
    wait_for("the routes to be written", || {
        let calls = house.twin.calls();
        let mut writes = calls.iter().filter(|call| call.method != "GET");
        writes.any(|call| call.path.contains("/routes/"))
    });
    let calls = house.twin.calls();
    let mut writes = calls.iter().filter(|call| call.method != "GET");
    let first = writes.next().unwrap();
    assert!(first.path.contains("/global_rules/"), "{first:?}");
    assert!(writes.any(|call| call.path.contains("/routes/")));
    house.stop();
}

#[test]
fn what_is_wanted_changes_while_it_runs_and_what_is_cut_stays_cut() {
    const BOTH: &str = "targets = [\"ollama\", \"far\"]";
    let mut house = House::new();
    assert_eq!(house.order(&[(3, "CLOUD")]).failed, Vec::<String>::new());
    house.want(BOTH, "targets = [\"far\"]");
    // A worker that lags still leads to the local target, which is open.
    let mut in_a_row = 0;
    wait_for(
        "the route that leads outside alone, at every worker",
        || {
            in_a_row = if house.ask().status == 503 {
                in_a_row + 1
            } else {
                0
            };
            assert_eq!(chats(&house.far), 0, "cut, whatever the routes are");
            in_a_row == 12
        },
    );
    for _ in 0..40 {
        assert_eq!(house.ask().status, 503);
        assert_eq!(chats(&house.far), 0, "cut, whatever the routes are");
        std::thread::sleep(std::time::Duration::from_millis(25));
    }
    house.order(&[]);
    wait_for("the new lead", || house.ask().status == 200);
    assert!(chats(&house.far) > 0);
    let before = chats(&house.local);
    house.want(BOTH, BOTH);
    wait_for("the first choice", || {
        house.ask();
        chats(&house.local) > before
    });
    assert_eq!(house.fact().drifted, 0, "by our doing, and no drift");
    house.stop();
}
