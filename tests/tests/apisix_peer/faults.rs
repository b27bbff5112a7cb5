//! The twin fails as it is told: before or after the work, once, after some calls, or for a while.

use crate::peer::Peer;
use http::Method;
use serde_json::{Value, json};
use site_tests::apisix::{Fault, Options, Trouble};
use site_tests::talk::{Connection, once, request, until};
use std::time::Duration;

fn rule() -> Value {
    json!({ "plugins": { "fault-injection": { "abort": { "http_status": 503 } } } })
}

/// What a write sees, and whether it was done.
async fn write(peer: &Peer, id: &str) -> (Option<u16>, bool) {
    let path = format!("/apisix/admin/global_rules/{id}");
    let key = [("x-api-key", "twin-admin-key")];
    let ask = request(&Method::PUT, path, &key, rule().to_string());
    let mut connection = Connection::to(peer.admin).await.unwrap();
    let answer = connection.within(Duration::from_millis(200), ask).await;
    let done = peer.told().stored(&format!("global_rules/{id}")).is_some();
    peer.told().remove(&format!("global_rules/{id}"));
    (answer.map(|answer| answer.status), done)
}

#[tokio::test]
async fn each_trouble_says_what_it_says_and_does_what_it_does() {
    let peer = Peer::twin(Options::default());
    for (trouble, seen) in [
        (Trouble::Hang, (None, false)),
        (Trouble::DoneThenHang, (None, true)),
        (Trouble::Status(401), (Some(401), false)),
        (Trouble::Status(409), (Some(409), false)),
        (Trouble::DoneThenStatus(503), (Some(503), true)),
        (Trouble::Reset, (None, false)),
        (Trouble::DoneThenReset, (None, true)),
        (Trouble::Slow(Duration::from_millis(20)), (Some(201), true)),
    ] {
        peer.told().fault(Fault::new(trouble).times(1));
        assert_eq!(write(&peer, "a").await, seen, "{trouble:?}");
        assert_eq!(
            write(&peer, "a").await,
            (Some(201), true),
            "after {trouble:?}"
        );
    }
    let late = Duration::from_millis(400);
    peer.told()
        .fault(Fault::new(Trouble::DoneLate(late)).times(1));
    assert_eq!(write(&peer, "late").await, (None, false));
    let done = || async { peer.told().stored("global_rules/late").is_some() };
    until("the late write", done).await;
}

#[tokio::test]
async fn trouble_begins_half_way_meets_what_it_is_meant_for_and_ends() {
    let peer = Peer::twin(Options::default());
    let twin = peer.told();
    twin.fault(
        Fault::new(Trouble::Status(500))
            .method("write")
            .path("/apisix/admin/global_rules")
            .after(2),
    );
    let mut seen = Vec::new();
    for id in ["a", "b", "c", "d"] {
        seen.push(write(&peer, id).await.0);
    }
    assert_eq!(seen, [Some(201), Some(201), Some(500), Some(500)]);
    assert_eq!(
        peer.call(&Method::GET, "global_rules", None).await.status,
        200
    );
    twin.calm();
    assert_eq!(write(&peer, "d").await.0, Some(201));
    twin.fault(Fault::new(Trouble::Reset).lasting(Duration::from_millis(50)));
    until("the end of it", || async {
        write(&peer, "e").await.0 == Some(201)
    })
    .await;
    let statuses: Vec<Option<u16>> = twin.calls().iter().map(|call| call.status).collect();
    assert_eq!(statuses[..4], seen[..]);
}

#[tokio::test]
async fn ports_can_be_down_and_come_back() {
    let peer = Peer::twin(Options::default());
    let look = || request(&Method::GET, "/", &[], "");
    peer.told().data_down(true);
    peer.told().admin_down(true);
    assert!(once(peer.data, look()).await.is_none() && once(peer.admin, look()).await.is_none());
    peer.told().data_down(false);
    peer.told().admin_down(false);
    assert!(once(peer.data, look()).await.is_some() && once(peer.admin, look()).await.is_some());
}
