//! The listener of the mesh: who is let in without a session, and that nobody else is.

use crate::house::{House, cookie, request, text};
use crate::mesh_service::{CAPABILITY, MeshService, ada};
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Method, Request, Response, StatusCode, header};
use kill_wire::{LeverRequest, Scope};
use serde_json::{Value, json};
use std::net::SocketAddr;
use tower::ServiceExt as _;

const PEER: &str = "100.64.0.8:4321";

/// As if it had been accepted from that address.
async fn from(router: &Router, peer: &str, mut request: Request<Body>) -> Response<Body> {
    let peer: SocketAddr = peer.parse().unwrap();
    request.extensions_mut().insert(ConnectInfo(peer));
    router.clone().oneshot(request).await.unwrap()
}

fn get(path: &str) -> Request<Body> {
    request(Method::GET, path, "").body(Body::empty()).unwrap()
}

fn post(path: &str, form: &'static str, more: &[(&'static str, &str)]) -> Request<Body> {
    let mut request = request(Method::POST, path, "")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    for (name, value) in more {
        request = request.header(*name, *value);
    }
    request.body(Body::from(form)).unwrap()
}

/// What a browser sends with a form over plain HTTP: it tells no `Sec-Fetch-Site` there.
const OWN: [(&str, &str); 1] = [("origin", "http://127.0.0.1:7410")];

fn with(pointer: &str, value: Value) -> Value {
    let mut answer = ada("operator");
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    answer.pointer_mut(parent).unwrap()[name] = value;
    answer
}

#[tokio::test]
async fn a_person_with_the_grant_acts_without_signing_in_and_by_name() {
    let (house, service) = (House::new().await, MeshService::new());
    let router = house.over_mesh(service.whois());
    let page = from(&router, PEER, get("/")).await;
    assert_eq!(page.status(), StatusCode::OK);
    let page = text(page).await;
    assert!(page.contains("ada@house.example, over the mesh"), "{page}");
    assert!(!page.contains("Sign out") && !page.contains("may look"));
    for form in [
        "scope=LLM&confirm=LLM&why=it%20loops",
        "scope=LLM&confirm=LLM",
    ] {
        from(&router, PEER, post("/cut", form, &OWN)).await;
    }
    let cut = |why: &str| LeverRequest::Cut {
        scope: Scope::Llm,
        by: "mesh ada@house.example".to_owned(),
        why: why.to_owned(),
    };
    assert_eq!(
        house.was_asked(),
        [
            cut("ada@house.example over the mesh from 100.64.0.8: it loops"),
            cut("ada@house.example over the mesh from 100.64.0.8")
        ]
    );
    let asked = service.was_asked();
    assert_eq!(
        asked,
        ["GET /localapi/v0/whois?addr=100.64.0.8:4321 HTTP/1.1"]
    );
}

#[tokio::test]
async fn a_restore_needs_its_code_over_the_mesh_too() {
    let (house, service) = (House::new().await, MeshService::new());
    let router = house.over_mesh(service.whois());
    let answer = from(&router, PEER, post("/restore", "scope=LLM&code=1234", &OWN)).await;
    assert_eq!(
        answer.status(),
        StatusCode::FORBIDDEN,
        "an operator only cuts"
    );
    service.says(200, ada("admin"));
    let router = house.over_mesh(service.whois());
    let answer = from(&router, PEER, post("/restore", "scope=LLM&code=", &OWN)).await;
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(house.was_asked().is_empty());
    from(&router, PEER, post("/restore", "scope=LLM&code=1234", &OWN)).await;
    let restore = LeverRequest::Restore {
        scope: Scope::Llm,
        code: "1234".to_owned(),
        by: "mesh ada@house.example".to_owned(),
    };
    assert_eq!(house.was_asked(), [restore]);
}

#[tokio::test]
async fn a_viewer_looks_and_does_nothing() {
    let (house, service) = (House::new().await, MeshService::new());
    service.says(200, ada("viewer"));
    let router = house.over_mesh(service.whois());
    for path in ["/", "/hosts", "/api/v1/state", "/metrics"] {
        let answer = from(&router, PEER, get(path)).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
    }
    for path in [
        "/cut",
        "/restore",
        "/drill",
        "/check-in",
        "/api/v1/config/reload",
    ] {
        let form = "scope=ALL&confirm=ALL&code=12345678";
        let answer = from(&router, PEER, post(path, form, &OWN)).await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{path}");
        assert!(text(answer).await.contains("look"));
    }
    assert!(house.was_asked().is_empty());
}

/// Who is refused, with the word.
fn refused() -> Vec<(u16, Value, &'static str)> {
    vec![
        (200, with("/CapMap", json!({})), "no_grant"),
        (
            200,
            with("/CapMap", json!({ CAPABILITY: null })),
            "no_grant",
        ),
        (200, ada("owner"), "no_grant"),
        (200, with("/Node/Tags", json!(["tag:agent"])), "machine"),
        (
            200,
            with("/UserProfile/LoginName", json!("tagged-devices")),
            "machine",
        ),
        (
            200,
            with("/Node/PrimaryRoutes", json!(["10.0.0.0/8"])),
            "router",
        ),
        (
            200,
            with("/Node/AllowedIPs", json!(["100.64.0.8/32", "0.0.0.0/0"])),
            "router",
        ),
        (200, with("/Node/Expired", json!(true)), "expired"),
        (404, json!({}), "unknown"),
        (403, json!({}), "unavailable"),
        (500, json!({}), "unavailable"),
        (200, json!({}), "unavailable"),
    ]
}

#[tokio::test]
async fn nobody_else_is_let_in_and_is_told_why_in_a_word_and_nothing_of_the_mesh() {
    let (house, service) = (House::new().await, MeshService::new());
    for (status, answer, word) in refused() {
        service.says(status, answer);
        let router = house.over_mesh(service.whois());
        let wanted = match word {
            "unavailable" => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::FORBIDDEN,
        };
        for path in ["/", "/hosts", "/events", "/metrics", "/api/v1/state"] {
            let told = from(&router, PEER, get(path)).await;
            assert_eq!(told.status(), wanted, "{word} {path}");
            let told = text(told).await;
            for name in ["laptop", "ada", "nLAP1", "100.64", "10.0.0", "tag:"] {
                assert!(!told.contains(name), "{name}: {told}");
            }
            if path.starts_with("/api/") {
                let told: Value = serde_json::from_str(&told).unwrap();
                assert_eq!(told["code"], word);
            } else {
                assert!(told.contains("<h1>No access</h1>"), "{told}");
            }
        }
        for path in ["/cut", "/restore", "/drill", "/check-in"] {
            let form = "scope=ALL&confirm=ALL&code=12345678";
            let told = from(&router, PEER, post(path, form, &OWN)).await;
            assert_eq!(told.status(), wanted, "{word} {path}");
        }
    }
    assert!(house.was_asked().is_empty());
}

#[tokio::test]
async fn a_connection_that_tells_no_address_lets_nobody_in() {
    let (house, service) = (House::new().await, MeshService::new());
    let router = house.over_mesh(service.whois());
    let answer = router.oneshot(get("/api/v1/state")).await.unwrap();
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(service.was_asked().is_empty());
}

/// What proxies and the mesh's own proxy would say of who is behind them.
const SAYS_SO: [(&str, &str); 6] = [
    ("x-forwarded-for", "100.64.0.8"),
    ("forwarded", "for=100.64.0.8"),
    ("x-real-ip", "100.64.0.8"),
    ("tailscale-user-login", "ada@house.example"),
    ("tailscale-user-name", "Ada"),
    ("x-webauth-user", "ada@house.example"),
];

#[tokio::test]
async fn a_header_that_pretends_to_be_somebody_changes_nothing() {
    let (house, service) = (House::new().await, MeshService::new());
    let router = house.over_mesh(service.whois());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let mut serving = tokio::task::JoinSet::new();
    serving.spawn(async move {
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        axum::serve(listener, service).await.unwrap();
    });
    // A real socket, whose other end is this machine and nobody on the mesh.
    let headers: String = SAYS_SO
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let head =
        format!("GET /api/v1/state HTTP/1.1\r\nhost: {at}\r\nconnection: close\r\n{headers}\r\n");
    let told = exchange(at, &head).await;
    assert!(told.starts_with("HTTP/1.1 403"), "{told}");
    assert!(told.contains("\"unknown\""), "{told}");
    assert!(service.was_asked().is_empty(), "of this machine itself");
    service.says(404, json!({}));
    let router = house.over_mesh(service.whois());
    for (name, value) in SAYS_SO {
        let mut request = get("/api/v1/state");
        let headers = request.headers_mut();
        headers.insert(name, value.parse().unwrap());
        let answer = from(&router, "100.64.0.9:1", request).await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{name}");
    }
    let about = |line: &String| line.contains("addr=100.64.0.9:1");
    assert!(service.was_asked().iter().all(about));
}

async fn exchange(at: SocketAddr, head: &str) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut stream = tokio::net::TcpStream::connect(at).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut told = String::new();
    stream.read_to_string(&mut told).await.unwrap();
    told
}

#[tokio::test]
async fn the_house_s_own_listener_asks_the_mesh_nothing() {
    let (house, service) = (House::new().await, MeshService::new());
    let _other = house.over_mesh(service.whois());
    let own = house.router.clone();
    let answer = from(&own, PEER, get("/api/v1/state")).await;
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    let answer = from(&own, PEER, get("/")).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    from(&own, PEER, post("/cut", "scope=ALL&confirm=ALL", &OWN)).await;
    assert!(house.was_asked().is_empty() && service.was_asked().is_empty());
}

#[tokio::test]
async fn a_form_of_another_site_or_a_rebound_name_does_nothing_over_the_mesh() {
    let (house, service) = (House::new().await, MeshService::new());
    let router = house.over_mesh(service.whois());
    for foreign in [
        ("sec-fetch-site", "cross-site"),
        ("origin", "http://evil.example"),
        ("origin", "http://100.64.0.9:7410"),
        ("origin", "null"),
    ] {
        let form = "scope=ALL&confirm=ALL";
        let answer = from(&router, PEER, post("/cut", form, &[foreign])).await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{foreign:?}");
    }
    for path in ["/", "/api/v1/state"] {
        let mut request = get(path);
        let headers = request.headers_mut();
        headers.insert(header::HOST, "evil.example:7410".parse().unwrap());
        let answer = from(&router, PEER, request).await;
        assert_eq!(answer.status(), StatusCode::MISDIRECTED_REQUEST);
    }
    assert!(house.was_asked().is_empty() && service.was_asked().is_empty());
}

#[tokio::test]
async fn a_sign_in_link_works_over_the_mesh_for_whoever_holds_it() {
    let (house, service) = (House::new().await, MeshService::new());
    service.says(404, json!({}));
    let router = house.over_mesh(service.whois());
    assert_eq!(
        from(&router, PEER, get("/sign-in?token=t0ken"))
            .await
            .status(),
        StatusCode::OK
    );
    house.issue("t0ken");
    let entered = from(&router, PEER, post("/sign-in", "token=t0ken", &OWN)).await;
    assert_eq!(entered.status(), StatusCode::SEE_OTHER);
    let session = cookie(&entered);
    let signed = |method, path| {
        let request = request(method, path, &session).header("origin", "http://127.0.0.1:7410");
        request.body(Body::empty()).unwrap()
    };
    let page = text(from(&router, PEER, signed(Method::GET, "/")).await).await;
    assert!(page.contains("Sign out") && !page.contains("over the mesh"));
    let left = from(&router, PEER, signed(Method::POST, "/sign-out")).await;
    assert_eq!(left.status(), StatusCode::SEE_OTHER);
    let after = from(&router, PEER, signed(Method::GET, "/api/v1/state")).await;
    assert_eq!(after.status(), StatusCode::FORBIDDEN);
}
