//! A node that holds its configuration in memory.

use crate::house::{House, WAYS};
use gateways::{Gateway as _, Mode};
use http::Method;
use serde_json::{Value, json};
use site_tests::apisix::Options;
use site_tests::talk::{once, request};

fn options() -> Options {
    Options {
        standalone: true,
        ..Options::default()
    }
}

/// One call of the node's admin API, as its owner makes it.
async fn configs(house: &House, put: Option<&Value>) -> Value {
    let method = if put.is_some() {
        Method::PUT
    } else {
        Method::GET
    };
    let body = put.map_or_else(String::new, ToString::to_string);
    let digest = format!("theirs-{}", body.len());
    let headers = [("x-api-key", "twin-admin-key"), ("x-digest", &digest)];
    let asked = request(&method, "/apisix/admin/configs", &headers, body);
    let answer = once(house.twin.admin, asked).await.unwrap();
    assert!((200..300).contains(&answer.status), "{}", answer.status);
    answer.json()
}

#[tokio::test]
async fn a_cut_and_a_restore_leave_every_other_section_as_it_was() {
    let house = House::bare(options());
    let theirs = json!({
        "routes": [{ "id": "theirs", "uri": "/theirs", "plugins": {} }],
        "global_rules": [{ "id": "theirs", "plugins": { "prometheus": {} } }],
    });
    configs(&house, Some(&theirs)).await;
    let house = house.opened().await;
    house.apply(2, &["claw"]).await.unwrap();
    assert_eq!(house.refused().await.len(), 3);
    assert_eq!(house.seq().await, Some(2));
    house.apply(3, &[]).await.unwrap();
    assert!(house.refused().await.is_empty());
    let after = configs(&house, None).await;
    assert_eq!(after["global_rules"], theirs["global_rules"]);
    let routes = after["routes"].as_array().unwrap();
    assert!(routes.contains(&theirs["routes"][0]) && routes.len() == 4);
    let again = house
        .driver
        .reconcile(&house.wanted, Mode::Repair)
        .await
        .unwrap();
    assert!(again.is_none(), "{again:?}");
}

#[tokio::test]
async fn a_node_that_came_back_empty_is_cut_again_and_gets_its_routes() {
    let house = House::open(options()).await;
    house.apply(2, &["ALL"]).await.unwrap();
    house.twin.restart();
    let seen = house.driver.observe().await.unwrap();
    assert_eq!(seen.seq, None);
    assert!(
        seen.notices
            .iter()
            .any(|line| line.contains("without a configuration")),
        "{:?}",
        seen.notices
    );
    house.apply(2, &["ALL"]).await.unwrap();
    assert_eq!(house.seq().await, Some(2));
    let back = house
        .driver
        .reconcile(&house.wanted, Mode::Repair)
        .await
        .unwrap();
    assert_eq!((back.missing.len(), back.failed.len()), (7, 0));
    house.twin.settled().await.unwrap();
    assert_eq!(house.refused().await.len(), WAYS.len());
    house.apply(3, &[]).await.unwrap();
    assert!(house.refused().await.is_empty());
}

#[tokio::test]
async fn an_owner_who_pushes_his_own_document_is_found_out_and_the_cut_put_back() {
    let house = House::open(options()).await;
    house.apply(2, &["ALL"]).await.unwrap();
    let theirs = json!({ "routes": [{ "id": "theirs", "uri": "/theirs", "plugins": {} }] });
    configs(&house, Some(&theirs)).await;
    assert_eq!(house.seq().await, None);
    house.apply(2, &["ALL"]).await.unwrap();
    assert_eq!(house.seq().await, Some(2));
    let after = configs(&house, None).await;
    assert_eq!(after["routes"], theirs["routes"]);
}
