//! Who is let in over the mesh, and who is not.

use crate::fake::{Says, Server, WHOIS, with};
use mesh::{LocalApi, Role, Whois, WhoisRefusal};
use serde_json::{Value, json};
use std::net::SocketAddr;

const WHO: &str = "GET /localapi/v0/whois?addr=100.64.0.8:4321";
const CAPABILITY: &str = "portcullis.example/cap/dashboard";

fn peer() -> SocketAddr {
    "100.64.0.8:4321".parse().unwrap()
}

async fn of(answer: Vec<u8>) -> Result<mesh::Visitor, WhoisRefusal> {
    let server = Server::local();
    server.book.on(WHO, Says::json(answer));
    Whois::new(LocalApi::at(server.socket()), CAPABILITY)
        .of(peer())
        .await
}

#[tokio::test]
async fn a_person_has_the_most_that_the_policy_grants() {
    let visitor = of(WHOIS.to_vec()).await.unwrap();
    assert_eq!(visitor.login, "ada@house.example");
    assert_eq!(
        (visitor.stable_id.as_str(), visitor.role),
        ("nLAP1CNTRL", Role::Operator)
    );
    let grants = json!({ CAPABILITY: [{ "role": "viewer" }, { "role": "owner" }] });
    let visitor = of(with(WHOIS, "/CapMap", grants)).await.unwrap();
    assert_eq!(visitor.role, Role::Viewer);
}

#[tokio::test]
async fn machines_routers_ended_keys_and_people_without_a_grant_stay_out() {
    let refused =
        |pointer, value| async move { of(with(WHOIS, pointer, value)).await.unwrap_err() };
    let tagged = refused("/Node/Tags", json!(["tag:agent"])).await;
    assert!(matches!(tagged, WhoisRefusal::Tagged(_)));
    let login = refused("/UserProfile/LoginName", json!("tagged-devices")).await;
    assert!(matches!(login, WhoisRefusal::Tagged(_)));
    let router = refused("/Node/PrimaryRoutes", json!(["10.0.0.0/8"])).await;
    assert!(matches!(router, WhoisRefusal::Router(_)));
    let exit = refused("/Node/AllowedIPs", json!(["100.64.0.8/32", "0.0.0.0/0"])).await;
    assert!(matches!(exit, WhoisRefusal::Router(_)));
    assert!(matches!(
        refused("/Node/Expired", json!(true)).await,
        WhoisRefusal::Ended(_)
    ));
    for grants in [
        Value::Null,
        json!({ "other.example/cap": [{ "role": "operator" }] }),
        json!({ CAPABILITY: [] }),
        json!({ CAPABILITY: ["operator", 7, { "role": ["operator"] }, { "role": "Operator" }] }),
    ] {
        assert!(matches!(
            refused("/CapMap", grants).await,
            WhoisRefusal::NoGrant(_)
        ));
    }
}

#[tokio::test]
async fn what_is_not_understood_lets_nobody_in() {
    for (pointer, value) in [
        ("/Node", Value::Null),
        ("/UserProfile", Value::Null),
        ("/Node/StableID", Value::Null),
        ("/Node/Tags", json!("tag:agent")),
        ("/Node/PrimaryRoutes", json!({})),
        ("/Node/Expired", json!("true")),
        ("/CapMap", json!([])),
    ] {
        let refused = of(with(WHOIS, pointer, value)).await.unwrap_err();
        assert!(
            matches!(refused, WhoisRefusal::Unanswered(..)),
            "{pointer}: {refused}"
        );
    }
}

#[tokio::test]
async fn nobody_denied_and_trouble_are_told_apart_and_none_is_remembered() {
    let server = Server::local();
    let whois = Whois::new(LocalApi::at(server.socket()), CAPABILITY);
    assert!(matches!(
        whois.of(peer()).await,
        Err(WhoisRefusal::Nobody(_))
    ));
    server.book.on(WHO, Says::status(403, "denied"));
    let Err(WhoisRefusal::Unanswered(_, why)) = whois.of(peer()).await else {
        panic!()
    };
    assert!(why.contains("does not answer this to us"), "{why}");
    server.book.on(WHO, Says::json(WHOIS));
    assert!(whois.of(peer()).await.is_ok());
}

#[tokio::test]
async fn an_answer_counts_until_the_mesh_changes() {
    let server = Server::local();
    let whois = Whois::new(LocalApi::at(server.socket()), CAPABILITY);
    server.book.on(WHO, Says::json(WHOIS));
    whois.of(peer()).await.unwrap();
    whois.of(peer()).await.unwrap();
    assert_eq!(server.book.count(WHO), 1);
    server.book.on(
        WHO,
        Says::json(with(WHOIS, "/Node/Tags", json!(["tag:agent"]))),
    );
    whois.forget();
    assert!(whois.of(peer()).await.is_err());
    assert_eq!(server.book.count(WHO), 2);
}

#[tokio::test]
async fn this_machine_itself_is_no_visitor() {
    let server = Server::local();
    let whois = Whois::new(LocalApi::at(server.socket()), CAPABILITY);
    for own in [
        "127.0.0.1:9",
        "[::1]:9",
        "[::ffff:127.0.0.1]:9",
        "0.0.0.0:9",
    ] {
        let refused = whois.of(own.parse().unwrap()).await.unwrap_err();
        assert!(matches!(refused, WhoisRefusal::NotAPeer(_)));
    }
    assert_eq!(server.book.lines(), Vec::<String>::new());
}

#[tokio::test]
async fn many_requests_of_one_address_are_one_question_at_a_time() {
    let server = Server::local();
    let whois = Whois::new(LocalApi::at(server.socket()), CAPABILITY);
    server.book.on(WHO, Says::json(WHOIS));
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..32 {
        let whois = whois.clone();
        asking.spawn(async move { whois.of(peer()).await });
    }
    let visitors = asking.join_all().await;
    assert!(visitors.iter().all(Result::is_ok), "{visitors:?}");
    assert_eq!(server.book.count(WHO), 1);
}
