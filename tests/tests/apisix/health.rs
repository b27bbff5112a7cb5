//! What the gateway's own checks found of its targets: told by looks, and in the way of none of them.

use crate::house::{House, overlay};
use gateways::{Apisix, Driver, Gateway as _};
use kill_wire::Timestamp;
use net_model::{RouteTable, Target, TargetView};
use site_tests::apisix::Options;
use site_tests::upstream::Upstream;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

fn driver(house: &House) -> &Apisix {
    let Driver::Apisix(apisix) = &house.driver else {
        panic!("another driver");
    };
    apisix
}

/// Every target is watched by the gateway.
async fn watched(mut house: House) -> House {
    let table = &house.wanted.table;
    let targets = table.targets().iter().map(|target| Target {
        health_every: Some(Duration::from_secs(1)),
        ..target.clone()
    });
    let (routes, consumers) = (table.routes().to_vec(), table.consumers().to_vec());
    let table = RouteTable::new(targets.collect(), routes, consumers).unwrap();
    house.wanted.table = Arc::new(table);
    house.opened().await
}

/// Name, whether it was well, and since when.
fn told(views: &[TargetView]) -> Vec<(&str, bool, u64)> {
    let views = views.iter();
    views
        .map(|view| {
            let well = view.health.as_ref().unwrap().well;
            (view.name.as_str(), well, view.since.millis())
        })
        .collect()
}

#[tokio::test]
async fn a_look_says_how_the_gateway_s_own_checks_find_its_targets() {
    let mut house = watched(House::bare(Options::default())).await;
    let ask = async |house: &House, at: u64| {
        driver(house).ask_health(Timestamp::from_millis(at)).await;
        house.driver.observe().await.unwrap().targets
    };
    assert!(house.driver.observe().await.unwrap().targets.is_empty());
    // It watches a target from the first request on.
    assert_eq!(ask(&house, 5).await, []);
    assert_eq!(house.ask("claw", "/chat/v1/models").await.0, 200);
    assert_eq!(told(&ask(&house, 6).await), [("box", true, 6)]);
    assert_eq!(house.ask("claw", "/far/v1/models").await.0, 200);
    assert_eq!(
        told(&ask(&house, 7).await),
        [("box", true, 6), ("sky", true, 7)]
    );
    house.local = Upstream::start().unwrap();
    assert_eq!(
        told(&ask(&house, 8).await),
        [("box", false, 8), ("sky", true, 7)]
    );
}

#[tokio::test]
async fn a_control_api_that_is_away_hangs_or_is_none_keeps_no_look_and_no_cut() {
    let hangs = TcpListener::bind("127.0.0.1:0").unwrap();
    let hanging = hangs.local_addr().unwrap();
    let away = TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = away.local_addr().unwrap();
    drop(away);
    let twin = House::bare(Options::default());
    for (control, why) in [
        (Some(hanging), Some("did not answer within")),
        (Some(gone), Some("cannot be reached")),
        // It serves, and knows no such path.
        (Some(twin.twin.data), Some("answered 404")),
        (None, None),
    ] {
        let house = House::with(Options::default(), |settings| settings.control = control);
        let house = watched(house).await;
        let cut = overlay(2, &["ALL"]);
        let (_, cut) = tokio::join!(driver(&house).ask_health(Timestamp::default()), async {
            let cut = house.driver.apply(&cut).await;
            cut.map(|_| ()).and(house.driver.observe().await)
        });
        assert_eq!(cut.unwrap().seq, Some(2), "{control:?}");
        let seen = house.driver.observe().await.unwrap();
        assert_eq!((seen.seq, seen.targets), (Some(2), Vec::new()));
        let notices = seen.notices.iter();
        let told: Vec<&String> = notices.filter(|it| it.contains("control API")).collect();
        match why {
            Some(why) => assert!(told[0].contains(why), "{told:?}"),
            None => assert!(told.is_empty(), "{told:?}"),
        }
    }
}

#[tokio::test]
async fn a_control_api_that_comes_back_takes_its_notice_away() {
    let house = watched(House::bare(Options::default())).await;
    assert_eq!(house.ask("claw", "/chat/v1/models").await.0, 200);
    for (down, targets) in [(false, 1), (true, 0), (false, 1)] {
        house.twin.control_down(down);
        driver(&house).ask_health(Timestamp::default()).await;
        let seen = house.driver.observe().await.unwrap();
        let told = seen.notices.iter().any(|it| it.contains("control API"));
        assert_eq!((seen.targets.len(), told), (targets, down));
    }
}
