//! A node that holds its configuration in memory.

use crate::house::{House, WAYS};
use bytes::Bytes;
use gateways::{Gateway as _, Mode};
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use site_tests::apisix::Options;
use tokio::net::TcpStream;

fn options() -> Options {
    Options {
        standalone: true,
        ..Options::default()
    }
}

/// One call of the node's admin API, as its owner makes it.
async fn configs(house: &House, put: Option<&Value>) -> Value {
    let request = match put {
        Some(_) => Request::put("/apisix/admin/configs"),
        None => Request::get("/apisix/admin/configs"),
    };
    let body = put.map_or_else(Bytes::new, |body| Bytes::from(body.to_string()));
    let request = request
        .header("host", "apisix.test")
        .header("x-api-key", "twin-admin-key")
        .header("x-digest", format!("theirs-{}", body.len()))
        .body(Full::new(body))
        .unwrap();
    let stream = TcpStream::connect(house.twin.admin).await.unwrap();
    let (mut sender, wire) = handshake(TokioIo::new(stream)).await.unwrap();
    let asking = async {
        let answer = sender.send_request(request).await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.status());
        answer.into_body().collect().await.unwrap().to_bytes()
    };
    tokio::pin!(asking);
    let body = tokio::select! {
        biased;
        body = &mut asking => body,
        _ = wire => asking.await,
    };
    serde_json::from_slice(&body).unwrap_or_default()
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
