//! Who may join and report, for programs: tokens that are said once, other names, and who is shut out.

use crate::fleet::host;
use crate::house::{House, request, text};
use axum::body::Body;
use axum::http::{Method, Response, StatusCode, header};
use net_model::{DashRole, Dial};
use serde_json::{Value, json};
use store::HostState;

async fn post(house: &House, path: &str, session: &str, body: Value) -> Response<Body> {
    let request = request(Method::POST, path, session)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_string()));
    house.send(request.unwrap()).await
}

async fn read(answer: Response<Body>) -> Value {
    serde_json::from_str(&text(answer).await).unwrap()
}

#[tokio::test]
async fn an_admin_invites_a_host_and_the_token_is_said_once() {
    let house = House::new().await;
    let session = house.session_of(DashRole::Admin).await;
    let wanted = json!({ "name": "claw1", "zone": "red", "roles": ["red-zone", "other"], "dial": "in", "address": "192.0.2.66:7415" });
    let answer = post(&house, "/api/v1/hosts", &session, wanted).await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    assert_eq!(answer.headers()[header::CACHE_CONTROL], "no-store");
    let ticket = read(answer).await;
    assert_eq!(
        (&ticket["name"], &ticket["token"], &ticket["expires"]),
        (
            &json!("claw1"),
            &json!("pcj-shown-once"),
            &json!(1_795_000_900_000_u64)
        )
    );
    {
        let invited = house.office.invited.lock().unwrap();
        let asked = &invited[0];
        assert_eq!((asked.zone.as_str(), asked.dial), ("red", Dial::In));
        assert_eq!(asked.address, Some("192.0.2.66:7415".parse().unwrap()));
        assert_eq!(asked.roles.len(), 2);
    }
    let changes = house.changes().await;
    assert!(
        changes.contains("host.invite claw1 zone red, red-zone, other"),
        "{changes}"
    );
    assert!(!changes.contains("pcj-"), "{changes}");
}

#[tokio::test]
async fn what_cannot_be_invited_is_refused_by_the_name_of_its_field() {
    let house = House::new().await;
    let session = house.session_of(DashRole::Admin).await;
    let good = json!({ "name": "claw1", "zone": "red", "roles": ["red-zone"] });
    for (member, value, word) in [
        ("name", json!("No Name"), "name"),
        ("zone", json!("nowhere"), "no zone"),
        ("roles", json!([]), "`roles`"),
        ("roles", json!(["king"]), "king"),
        ("dial", json!("in"), "`address`"),
        ("address", json!("192.0.2.66:7415"), "`address`"),
        ("address", json!("claw1.lan:7415"), "address"),
        ("rolls", json!(["red-zone"]), "rolls"),
    ] {
        let mut wanted = good.clone();
        wanted[member] = value;
        let answer = post(&house, "/api/v1/hosts", &session, wanted).await;
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
        let problem = read(answer).await;
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(word), "{member}: {detail}");
    }
    assert!(house.office.invited.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_host_is_renamed_and_shut_out_and_invited_again() {
    let house = House::new().await;
    let session = house.session_of(DashRole::Admin).await;
    host(&house, "gpu1", "inference").await;
    host(&house, "gpu2", "inference").await;

    let taken = post(
        &house,
        "/api/v1/hosts/gpu1/rename",
        &session,
        json!({ "to": "gpu2" }),
    );
    assert_eq!(taken.await.status(), StatusCode::CONFLICT);
    let renamed = post(
        &house,
        "/api/v1/hosts/gpu1/rename",
        &session,
        json!({ "to": "attic" }),
    );
    assert_eq!(
        read(renamed.await).await,
        json!({ "renamed": "gpu1", "to": "attic" })
    );
    let gone = house.get("/api/v1/hosts/gpu1", &session).await;
    assert_eq!(gone.status(), StatusCode::NOT_FOUND);

    let out = post(&house, "/api/v1/hosts/attic/revoke", &session, json!({})).await;
    assert_eq!(read(out).await, json!({ "revoked": "attic" }));
    let attic = house.store.host(&"attic".parse().unwrap()).await.unwrap();
    assert_eq!(attic.unwrap().state, HostState::Revoked);
    assert!(house.was_asked().is_empty(), "nothing is cut by it");

    let again = post(&house, "/api/v1/hosts/attic/reinvite", &session, json!({})).await;
    assert_eq!(again.status(), StatusCode::CREATED);
    assert_eq!(read(again).await["token"], "pcj-shown-once");
    for what in ["reinvite", "revoke"] {
        for name in ["nobody", "No%20Name"] {
            let path = format!("/api/v1/hosts/{name}/{what}");
            let answer = post(&house, &path, &session, json!({})).await;
            assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
        }
    }
    let changes = house.changes().await;
    let told: Vec<&str> = changes.lines().rev().collect();
    assert_eq!(
        told,
        [
            "host.rename gpu1 gpu2",
            "host.rename gpu1 attic",
            "host.revoke attic ",
            "host.reinvite attic ",
        ]
    );
}
