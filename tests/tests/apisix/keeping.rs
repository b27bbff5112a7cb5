//! Objects of ours are kept as they are wanted; others are left alone.

use crate::house::{House, WAYS};
use gateways::{Gateway as _, Mode};
use serde_json::{Value, json};
use site_tests::apisix::{Fault, Options, Trouble};

#[tokio::test]
async fn what_is_as_wanted_is_not_written_again() {
    let house = House::bare(Options::default());
    let first = house
        .driver
        .reconcile(&house.wanted, Mode::Repair)
        .await
        .unwrap();
    assert_eq!(first.missing.len(), 7, "{first:?}");
    let before = house.twin.calls().len();
    let again = house
        .driver
        .reconcile(&house.wanted, Mode::Repair)
        .await
        .unwrap();
    assert!(again.is_none(), "{again:?}");
    assert!(house.writes(before).is_empty());
    // Nor by a process that remembers nothing.
    let fresh = House::with(Options::default(), |settings| {
        settings.admin = house.twin.admin;
        settings.data = vec![house.twin.data];
    });
    let anew = fresh
        .driver
        .reconcile(&house.wanted, Mode::Repair)
        .await
        .unwrap();
    assert!(anew.is_none(), "{anew:?}");
}

#[tokio::test]
async fn drift_is_shown_and_repaired() {
    let house = House::open(Options::default()).await;
    let mut edited = house.twin.stored("routes/portcullis-chat").unwrap();
    edited["plugins"]
        .as_object_mut()
        .unwrap()
        .remove("key-auth");
    house.twin.place("routes/portcullis-chat", edited).unwrap();
    house.twin.remove("consumers/portcullis_paw");
    let old = json!({ "uri": "/old", "labels": { "managed-by": "portcullis" }, "plugins": {} });
    house.twin.place("routes/portcullis-old", old).unwrap();
    let before = house.twin.calls().len();
    let shown = house
        .driver
        .reconcile(&house.wanted, Mode::Show)
        .await
        .unwrap();
    assert_eq!(shown.missing, ["consumer portcullis_paw"]);
    assert_eq!(shown.changed, ["route portcullis-chat"]);
    assert_eq!(shown.surplus, ["route portcullis-old"]);
    assert!(house.writes(before).is_empty());
    let repaired = house
        .driver
        .reconcile(&house.wanted, Mode::Repair)
        .await
        .unwrap();
    assert_eq!(
        (&repaired.changed, repaired.failed.len()),
        (&shown.changed, 0)
    );
    let after = house
        .driver
        .reconcile(&house.wanted, Mode::Show)
        .await
        .unwrap();
    assert!(after.is_none(), "{after:?}");
    house.twin.settled().await.unwrap();
    assert_eq!(house.get("/chat/v1/models", None).await.0, 401);
    assert!(house.refused().await.is_empty());
}

#[tokio::test]
async fn what_is_not_ours_stays_byte_for_byte() {
    let house = House::bare(Options::default());
    let nodes = json!({ house.local.addr.to_string(): 1 });
    let theirs = [
        (
            "upstreams/theirs",
            json!({ "type": "roundrobin", "nodes": nodes }),
        ),
        // Of our name without our mark, and the other way round.
        (
            "upstreams/portcullis-theirs",
            json!({ "type": "roundrobin", "nodes": nodes }),
        ),
        (
            "routes/theirs",
            json!({ "uri": "/theirs", "upstream_id": "theirs", "labels": { "managed-by": "portcullis" } }),
        ),
        (
            "consumers/theirs",
            json!({ "username": "theirs", "plugins": { "key-auth": { "key": "k" } } }),
        ),
        (
            "global_rules/theirs",
            json!({ "plugins": { "prometheus": {} } }),
        ),
    ];
    for (path, value) in &theirs {
        house.twin.place(path, value.clone()).unwrap();
    }
    let look = || -> Vec<(String, Value)> {
        let stored = theirs
            .iter()
            .map(|(path, _)| ((*path).to_owned(), house.twin.stored(path).unwrap()));
        stored.collect()
    };
    let before = look();
    house.apply(1, &[]).await.unwrap();
    house
        .driver
        .reconcile(&house.wanted, Mode::Repair)
        .await
        .unwrap();
    house.apply(2, &["ALL"]).await.unwrap();
    house.apply(3, &["claw"]).await.unwrap();
    house.apply(4, &[]).await.unwrap();
    let mut fewer = house.wanted.clone();
    fewer.leads = vec![Some(1), None, Some(0)];
    house.driver.reconcile(&fewer, Mode::Repair).await.unwrap();
    assert_eq!(look(), before);
}

#[tokio::test]
async fn a_route_that_turns_to_the_cloud_while_that_is_cut_serves_nobody() {
    let house = House::open(Options::default()).await;
    house.apply(2, &["CLOUD"]).await.unwrap();
    let asked = house.cloud.log().len();
    let mut turned = house.wanted.clone();
    turned.leads = vec![Some(1), Some(1), Some(0)];
    // While routes turn, clients go on asking.
    let asking = async {
        for _ in 0..60 {
            house.ask("claw", "/chat/v1/models").await;
        }
    };
    let (repaired, ()) = tokio::join!(house.driver.reconcile(&turned, Mode::Repair), asking);
    assert!(repaired.unwrap().failed.is_empty());
    house.twin.settled().await.unwrap();
    assert_eq!(house.ask("claw", "/chat/v1/models").await.0, 503);
    assert_eq!(house.cloud.log().len(), asked);
    // Back in the house it is open again, without a word of the kill switch.
    house
        .driver
        .reconcile(&house.wanted, Mode::Repair)
        .await
        .unwrap();
    house.twin.settled().await.unwrap();
    assert_eq!(house.ask("claw", "/chat/v1/models").await.0, 200);
    assert_eq!(house.seq().await, Some(2));
}

#[tokio::test]
async fn no_reconcile_opens_a_cut() {
    let house = House::open(Options::default()).await;
    house.apply(2, &["ALL"]).await.unwrap();
    for leads in [vec![None, None, None], vec![Some(1), Some(0), Some(0)]] {
        let mut other = house.wanted.clone();
        other.leads = leads;
        house.driver.reconcile(&other, Mode::Repair).await.unwrap();
        house.twin.settled().await.unwrap();
        assert_eq!(house.refused().await.len(), WAYS.len());
    }
    assert_eq!(house.seq().await, Some(2));
}

#[tokio::test]
async fn what_was_applied_half_is_told_and_finished_the_next_time() {
    let house = House::bare(Options::default());
    house.apply(1, &[]).await.unwrap();
    let half = Fault::new(Trouble::Status(500))
        .method("PUT")
        .path("/apisix/admin/")
        .after(3);
    house.twin.fault(half);
    let drift = house
        .driver
        .reconcile(&house.wanted, Mode::Repair)
        .await
        .unwrap();
    assert!(!drift.failed.is_empty());
    let notices = house.driver.observe().await.unwrap().notices;
    assert!(
        notices.iter().any(|line| line.contains("500")),
        "{notices:?}"
    );
    house.twin.calm();
    // What is cut meanwhile is everything: nobody knows how far it came.
    house.apply(2, &["files"]).await.unwrap();
    assert!(
        house
            .twin
            .stored("global_rules/portcullis-cut")
            .unwrap()
            .pointer("/plugins/fault-injection/abort/vars")
            .is_none()
    );
    let rest = house
        .driver
        .reconcile(&house.wanted, Mode::Repair)
        .await
        .unwrap();
    assert!(
        rest.failed.is_empty() && !rest.missing.is_empty(),
        "{rest:?}"
    );
    house.twin.settled().await.unwrap();
    assert_eq!(house.refused().await, [("claw", "files")]);
}

#[tokio::test]
async fn where_routes_are_somebody_elses_nothing_is_kept_and_any_cut_is_everything() {
    let house = House::with(Options::default(), |settings| settings.manage = false);
    let drift = house
        .driver
        .reconcile(&house.wanted, Mode::Repair)
        .await
        .unwrap();
    assert!(drift.is_none());
    house.apply(1, &["claw"]).await.unwrap();
    let calls = house.writes(0);
    assert!(
        calls
            .iter()
            .all(|call| call.path.ends_with("portcullis-cut")),
        "{calls:?}"
    );
    assert_eq!(house.seq().await, Some(1));
}

#[tokio::test]
async fn counters_are_told_of_our_routes() {
    let house = House::open(Options::default()).await;
    house.ask("claw", "/chat/v1/models").await;
    let gateways::Driver::Apisix(apisix) = &house.driver else {
        panic!("another driver");
    };
    let counters = apisix.counters().await.unwrap().unwrap();
    let mut served = counters.answers.iter().filter(|one| one.status == 200);
    assert!(served.any(|one| one.route == "portcullis-chat" && one.consumer == "portcullis_claw"));
}
