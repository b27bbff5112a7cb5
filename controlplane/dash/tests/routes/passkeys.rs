//! Passkeys: added by a fresh sign-in, good once a challenge, for one address, one person and what he may now.

mod adding;
mod people;
mod programs;
mod proving;

use crate::authenticator::Device;
use crate::house::{House, cookie, request, text};
use axum::body::Body;
use axum::http::{Method, Response, StatusCode, header};
use net_model::{DashRole, KeyHash, SignedInBy};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};
use store::{NewSession, ProviderPart};

const AT: &str = "https://portcullis.lan";
const ISSUER: &str = "https://id.house.example";

impl House {
    /// The same house with passkeys at this address, and with a provider that nobody asks.
    pub(crate) fn with_passkeys(mut self, at: &str, issuer: &str) -> Self {
        self.app.passkeys = Some(passkeys::Settings {
            party: passkeys::Party::of(at).unwrap(),
            vouched_ms: 7 * 24 * 3_600_000,
        });
        let provider = oidc::Provider::new(oidc::Settings {
            issuer: issuer.to_owned(),
            client_id: "portcullis".to_owned(),
            secret: None,
            scopes: Vec::new(),
            groups_claim: "groups".to_owned(),
            roles: std::collections::BTreeMap::new(),
            base: at.to_owned(),
            authorities: Vec::new(),
        });
        self.app.oidc = Some(provider.unwrap());
        self.router = dash::router(self.app.clone());
        self
    }

    /// The same house, whose provider is gone from its configuration.
    pub(crate) fn without_provider(mut self) -> Self {
        self.app.oidc = None;
        self.router = dash::router(self.app.clone());
        self
    }
}

async fn house() -> House {
    House::new().await.with_passkeys(AT, ISSUER)
}

async fn send(house: &House, path: &str, cookie: &str, body: &Value) -> Response<Body> {
    let request = request(Method::POST, path, cookie)
        .header(header::CONTENT_TYPE, "application/json")
        .header("sec-fetch-site", "same-origin");
    house
        .send(request.body(Body::from(body.to_string())).unwrap())
        .await
}

async fn json_of(answer: Response<Body>) -> Value {
    serde_json::from_str(&text(answer).await).unwrap()
}

/// What a browser is asked at `path`.
async fn asked(house: &House, path: &str, cookie: &str) -> Value {
    let answer = send(house, path, cookie, &json!({})).await;
    assert_eq!(answer.status(), StatusCode::OK, "{path}");
    json_of(answer).await
}

async fn add(house: &House, device: &mut Device, cookie: &str, name: &str) -> Response<Body> {
    let wanted = asked(house, "/account/passkeys/begin", cookie).await;
    let filled = json!({ "name": name, "credential": device.make(&wanted) });
    send(house, "/account/passkeys", cookie, &filled).await
}

async fn enter(house: &House, device: &mut Device) -> Response<Body> {
    let wanted = asked(house, "/sign-in/passkey/begin", "").await;
    send(house, "/sign-in/passkey", "", &device.prove(&wanted)).await
}

/// The word of a refusal.
async fn code(answer: Response<Body>) -> String {
    assert!(!answer.status().is_success(), "{}", answer.status());
    assert!(!answer.headers().contains_key(header::SET_COOKIE));
    let told = json_of(answer).await;
    told.get("code").and_then(Value::as_str).unwrap().to_owned()
}

/// A session of whoever signed in at the provider just now.
async fn person(house: &House, name: &str, role: DashRole) -> String {
    static ONE_MORE: AtomicU64 = AtomicU64::new(0);
    let token = format!("{name}-{}", ONE_MORE.fetch_add(1, Ordering::Relaxed));
    let now = house.now();
    let session = NewSession {
        role,
        how: SignedInBy::Oidc,
        who: name.to_owned(),
        provider: Some(ProviderPart {
            subject: format!("sub-{name}"),
            sid: None,
            sealed: "sealed".to_owned(),
            renew_at: None,
        }),
        ..NewSession::by_link(now, now.plus_millis(12 * 3_600_000))
    };
    let hash = KeyHash::of(token.as_bytes());
    house.store.create_session(hash, &session).await.unwrap();
    format!("portcullis_session={token}")
}

async fn lets_in(house: &House, cookie: &str) -> bool {
    house.get("/api/v1/state", cookie).await.status() == StatusCode::OK
}

/// A device with a passkey of somebody who signs in at the provider.
async fn held(house: &House, id: u8, name: &str, role: DashRole) -> Device {
    let mut device = Device::new(id, AT);
    let session = person(house, name, role).await;
    let added = add(house, &mut device, &session, "phone").await;
    assert_eq!(added.status(), StatusCode::CREATED);
    device
}

async fn signed_in(house: &House, device: &mut Device) -> String {
    let answer = enter(house, device).await;
    assert_eq!(answer.status(), StatusCode::OK);
    cookie(&answer)
}
