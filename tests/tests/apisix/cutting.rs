//! What each scope closes, and what a restore leaves.

use crate::house::{CUT, House, WAYS, key, name, overlay};
use gateways::{Gateway as _, Mode, Passage};
use kill_wire::{Class, RouteKind, Scope, Subject};
use serde_json::json;
use site_tests::apisix::Options;

const SCOPES: [&str; 9] = [
    "ALL", "LLM", "CLOUD", "AGENTS", "TOOLS", "claw", "paw", "chat", "files",
];

/// Whether this scope means this way, by the scope's own words.
fn means(scope: &str, consumer: &str, route: &str) -> bool {
    let (kind, class) = match route {
        "chat" => (RouteKind::Llm, Class::Local),
        "far" => (RouteKind::Llm, Class::Cloud),
        _ => (RouteKind::Tool, Class::Local),
    };
    scope.parse::<Scope>().unwrap().covers(&Subject {
        kind,
        route: &name(route),
        consumer: Some(&name(consumer)),
        class: Some(class),
    })
}

#[tokio::test]
async fn every_scope_closes_what_it_means_at_once_and_a_restore_opens_it() {
    let house = House::open(Options::default()).await;
    assert!(house.refused().await.is_empty());
    for (scope, seq) in SCOPES.iter().zip((2..).step_by(2)) {
        house.apply(seq, &[scope]).await.unwrap();
        let refused = house.refused().await;
        for (consumer, route, _) in WAYS {
            assert_eq!(
                refused.contains(&(consumer, route)),
                means(scope, consumer, route),
                "{scope}: {consumer} on {route}"
            );
        }
        assert_eq!(house.seq().await, Some(seq));
        house.apply(seq + 1, &[]).await.unwrap();
        assert!(house.refused().await.is_empty(), "{scope} restored");
        assert!(house.twin.stored(CUT).is_none());
        assert_eq!(house.seq().await, Some(seq + 1));
    }
}

#[tokio::test]
async fn a_refusal_is_ours_in_every_word() {
    let house = House::open(Options::default()).await;
    house.apply(2, &["ALL"]).await.unwrap();
    assert_eq!(house.ask("claw", "/v1/models").await, (503, "7".to_owned()));
    let rule = house.twin.stored(CUT).unwrap();
    let abort = &rule["plugins"]["fault-injection"]["abort"];
    assert_eq!(abort["headers"]["retry-after"], "30");
    assert_eq!(abort["headers"]["content-type"], "application/json");
    let body: serde_json::Value = serde_json::from_str(abort["body"].as_str().unwrap()).unwrap();
    assert_eq!(body["error"]["incident"], 7);
}

#[tokio::test]
async fn nobody_comes_round_a_cut_by_putting_the_key_elsewhere() {
    let house = House::open(Options::default()).await;
    let elsewhere = "/chat/v1/models?apikey=Bearer%20key-of-claw";
    assert_eq!(house.get(elsewhere, None).await.0, 200);
    house.apply(2, &["claw"]).await.unwrap();
    assert_eq!(house.get(elsewhere, None).await.0, 503);
    let wrong = house.get("/chat/v1/models", Some("Bearer guessed")).await;
    assert_eq!(wrong.0, 503);
    assert_eq!(house.ask("paw", "/chat/v1/models").await.0, 200);
}

#[tokio::test]
async fn a_route_of_somebody_else_is_closed_by_all_alone() {
    let house = House::open(Options::default()).await;
    let theirs = json!({
        "uri": "/theirs/*", "plugins": { "proxy-rewrite": { "uri": "/v1/models" } },
        "upstream": { "type": "roundrobin", "nodes": { house.local.addr.to_string(): 1 } },
    });
    house.twin.place("routes/theirs", theirs).unwrap();
    house.twin.settled().await.unwrap();
    house.apply(2, &["LLM"]).await.unwrap();
    assert_eq!(house.get("/theirs/x", None).await.0, 200);
    house.apply(3, &["LLM", "ALL"]).await.unwrap();
    assert_eq!(house.get("/theirs/x", None).await.0, 503);
}

#[tokio::test]
async fn before_its_routes_are_known_any_cut_is_everything() {
    let house = House::open(Options::default()).await;
    // Another process of ours, which knows nothing yet.
    let fresh = House::with(Options::default(), |settings| {
        settings.admin = house.twin.admin;
        settings.data = vec![house.twin.data];
    });
    assert_eq!(fresh.seq().await, None);
    fresh.apply(5, &["files"]).await.unwrap();
    // It knows no path to try, so that it cannot wait for the workers.
    house.twin.settled().await.unwrap();
    assert_eq!(house.refused().await.len(), WAYS.len());
    fresh
        .driver
        .reconcile(&house.wanted, Mode::Repair)
        .await
        .unwrap();
    house.twin.settled().await.unwrap();
    assert_eq!(house.refused().await, [("claw", "files")]);
    assert_eq!(fresh.seq().await, Some(5));
}

#[tokio::test]
async fn a_pause_refuses_without_an_incident() {
    let house = House::open(Options::default()).await;
    let mut paused = overlay(2, &[]);
    paused.paused = vec![Scope::All];
    house.driver.apply(&paused).await.unwrap();
    assert_eq!(house.ask("claw", "/v1/models").await, (503, String::new()));
    let seen = house.driver.observe().await.unwrap();
    assert_eq!((seen.seq, seen.paused), (Some(2), vec![Scope::All]));
    house.apply(2, &[]).await.unwrap();
    assert!(house.refused().await.is_empty());
}

#[tokio::test]
async fn probes_see_every_way_as_its_client_would() {
    let house = House::open(Options::default()).await;
    let llm = |probed: Vec<gateways::Probed>| {
        let mut llm: Vec<_> = probed
            .into_iter()
            .filter(|one| one.way.kind == RouteKind::Llm)
            .map(|one| one.seen)
            .collect();
        llm.dedup();
        llm
    };
    assert_eq!(llm(house.driver.probe().await.unwrap()), [Passage::Open]);
    house.apply(2, &["ALL"]).await.unwrap();
    let incident = 7.try_into().unwrap();
    assert_eq!(
        llm(house.driver.probe().await.unwrap()),
        [Passage::Cut(incident)]
    );
    let asked = house.local.log();
    assert!(
        asked
            .iter()
            .all(|served| served.path.ends_with("/models") || served.path.ends_with('/'))
    );
}

#[tokio::test]
async fn an_older_word_is_not_taken() {
    let house = House::open(Options::default()).await;
    house.apply(9, &["ALL"]).await.unwrap();
    let older = house.apply(8, &[]).await.unwrap_err();
    assert!(older.to_string().contains("older"), "{older}");
    assert_eq!(house.refused().await.len(), WAYS.len());
}

#[tokio::test]
async fn a_key_goes_no_further_than_the_gateway() {
    let house = House::open(Options::default()).await;
    house.ask("claw", "/chat/v1/models").await;
    let mut served = house.local.ended(1, crate::house::LONG).await;
    let bearer = served.pop().unwrap().bearer_sha256;
    assert_eq!(bearer, None, "{:?}", key("claw").hash().to_hex());
}
