//! How clients reach the gateway: TLS, its reload, and a listener that outlives it.

use crate::support::*;
use bytes::Bytes;
use gateway::{BadTls, Front, Gateway, Settings, Tls};
use http_body_util::BodyExt as _;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use kill_wire::Class;
use net_model::{Rules, Secret};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::{ClientConfig, RootCertStore, pki_types::ServerName};
use std::{
    net::SocketAddr,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio::{
    net::TcpStream,
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_rustls::{TlsConnector, client::TlsStream};

pub(crate) struct Pair {
    tls: Tls,
    pub(crate) roots: RootCertStore,
}

/// A certificate of its own making for `gateway`, in files as an operator writes them.
pub(crate) fn pair(dir: &Path) -> Pair {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(vec!["gateway".to_owned()]).unwrap();
    let (certificate, key) = (dir.join("certificate.pem"), dir.join("key.pem"));
    std::fs::write(&certificate, cert.pem()).unwrap();
    std::fs::write(&key, signing_key.serialize_pem()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(cert.der().clone()).unwrap();
    Pair {
        tls: Tls::read(&certificate, &key).unwrap(),
        roots,
    }
}

pub(crate) fn front(pair: &Pair) -> Front {
    Front {
        tls: Some(pair.tls.clone()),
        trusted_proxies: Vec::new(),
    }
}

pub(crate) async fn meet(
    addr: SocketAddr,
    roots: &RootCertStore,
    protocol: &[u8],
) -> std::io::Result<TlsStream<TcpStream>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots.clone())
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    let stream = TcpStream::connect(addr).await?;
    let name = ServerName::try_from("gateway").unwrap();
    let tls = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await?;
    assert_eq!(tls.get_ref().1.alpn_protocol(), Some(protocol));
    Ok(tls)
}

#[tokio::test(flavor = "multi_thread")]
async fn within_tls_a_cut_stream_ends_with_its_error_event() {
    let site = Site::open().await;
    let pair = pair(site.dir.path());
    site.gateway.reload_front(front(&pair));
    let stream = meet(site.addr(), &pair.roots, b"http/1.1").await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(connection);
    let body = r#"{"model":"stall","stream":true}"#;
    let mut response = sender.send_request(chat(CLAW, body)).await.unwrap();
    assert_eq!(response.status(), 200);
    response.body_mut().frame().await.unwrap().unwrap();
    let (applied, answer) = tokio::join!(site.apply(2, &["llm"]), whole(response));
    assert_eq!((applied, answer.clean), (1, true));
    assert_eq!(events(&answer.body).last().unwrap()["error"]["incident"], 7);
    // The connection ends as TLS says it must: hyper would call anything else an error.
    timeout(LIMIT, tasks.join_next())
        .await
        .unwrap()
        .unwrap()
        .unwrap()
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn within_tls_many_exchanges_share_a_connection() {
    let site = Site::open().await;
    let pair = pair(site.dir.path());
    site.gateway.reload_front(front(&pair));
    let stream = meet(site.addr(), &pair.roots, b"h2").await.unwrap();
    let (mut sender, connection) = h2::client::handshake(stream).await.unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(connection);
    let mut bodies = Vec::new();
    for _ in 0..3 {
        let (head, _) = chat(CLAW, "").into_parts();
        let mut request = http::Request::from_parts(head, ());
        *request.uri_mut() = "https://gateway/v1/chat/completions".parse().unwrap();
        let (answer, mut out) = sender.send_request(request, false).unwrap();
        let body = Bytes::from_static(br#"{"model":"stall","stream":true}"#);
        out.send_data(body, true).unwrap();
        let response = timeout(LIMIT, answer).await.unwrap().unwrap();
        assert_eq!(response.status(), 200);
        bodies.push(response.into_body());
    }
    assert_eq!(site.apply(2, &["claw"]).await, 3);
    for mut body in bodies {
        let mut all = Vec::new();
        while let Some(piece) = timeout(LIMIT, body.data()).await.unwrap() {
            all.extend_from_slice(&piece.unwrap());
        }
        assert_eq!(events(&all).last().unwrap()["error"]["code"], "cut");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_on_this_host_may_speak_plainly_beside_tls() {
    let site = Site::open().await;
    let pair = pair(site.dir.path());
    assert!(meet(site.addr(), &pair.roots, b"h2").await.is_err());
    site.gateway.reload_front(front(&pair));
    assert_eq!(site.get("", "/healthz").await.status, 200);
    meet(site.addr(), &pair.roots, b"h2").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn another_certificate_counts_for_the_next_connection() {
    let site = Site::open().await;
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (one, two) = (pair(one.path()), pair(two.path()));
    site.gateway.reload_front(front(&one));
    let open = meet(site.addr(), &one.roots, b"http/1.1").await.unwrap();
    site.gateway.reload_front(front(&two));
    assert!(meet(site.addr(), &one.roots, b"http/1.1").await.is_err());
    meet(site.addr(), &two.roots, b"http/1.1").await.unwrap();
    // Who was met before stays.
    let (mut sender, connection) = http1::handshake(TokioIo::new(open)).await.unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(connection);
    let body = r#"{"model":"steady","max_tokens":1}"#;
    assert_eq!(
        sender
            .send_request(chat(CLAW, body))
            .await
            .unwrap()
            .status(),
        200
    );
}

#[test]
fn a_bad_file_is_named_and_nothing_of_it_shown() {
    let dir = tempfile::tempdir().unwrap();
    let good = pair(dir.path());
    drop(good);
    let (certificate, key) = (
        dir.path().join("certificate.pem"),
        dir.path().join("key.pem"),
    );
    let none = dir.path().join("none.pem");
    let said = |certificate: &Path, key: &Path| Tls::read(certificate, key).unwrap_err();
    assert!(matches!(said(&none, &key), BadTls::Certificate(text) if text.contains("cannot read")));
    assert!(
        matches!(said(&key, &key), BadTls::Certificate(text) if text.contains("no certificate"))
    );
    assert!(
        matches!(said(&certificate, &certificate), BadTls::Key(text) if text.contains("no private key"))
    );
    let other = tempfile::tempdir().unwrap();
    pair(other.path());
    let foreign = said(&certificate, &other.path().join("key.pem"));
    assert!(matches!(foreign, BadTls::Key(text) if text.contains("does not go with")));
}

/// What systemd does with a socket unit: the listener stays open while one gateway follows another.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_refused_while_one_gateway_follows_another() {
    let first = Site::open().await;
    let home = first.home.base_url();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let follow = |round: u32| {
        let dir = tempfile::tempdir().unwrap();
        let settings = Settings {
            table: table(&[("home", Class::Local, &home)]),
            rules: Rules::default(),
            control_socket: dir.path().join("control.sock"),
            spool_dir: dir.path().join("spool"),
            probe_key: Secret::new(PROBE).unwrap().hash(),
            front: Front::default(),
        };
        println!("gateway {round}");
        let gateway = Gateway::start(settings, listener.try_clone().unwrap()).unwrap();
        (gateway, dir)
    };
    let stop = Arc::new(AtomicBool::new(false));
    let answered = Arc::new(AtomicU32::new(0));
    let mut clients = JoinSet::new();
    for _ in 0..8 {
        let (stop, answered) = (Arc::clone(&stop), Arc::clone(&answered));
        clients.spawn(async move {
            while !stop.load(Ordering::SeqCst) {
                // Every one of them is taken in and answered, by whichever gateway.
                let response = timeout(
                    LIMIT,
                    send(addr, chat(CLAW, r#"{"model":"steady","max_tokens":1}"#)),
                );
                let answer = whole(response.await.unwrap()).await;
                assert!(answer.clean);
                assert!(answer.status == 200 || answer.code() == "closed");
                answered.fetch_add(1, Ordering::SeqCst);
            }
        });
    }
    let mut running = follow(0);
    for round in 1..6 {
        let line =
            serde_json::to_string(&net_model::ControlRequest::Apply(overlay(1, &[]))).unwrap();
        Talk::to(&running.1.path().join("control.sock"))
            .await
            .ask(&line)
            .await;
        let before = answered.load(Ordering::SeqCst);
        while answered.load(Ordering::SeqCst) < before + 20 {
            sleep(Duration::from_millis(1)).await;
        }
        running.0.drain(LIMIT).await;
        running = follow(round);
    }
    stop.store(true, Ordering::SeqCst);
    while let Some(client) = timeout(LIMIT, clients.join_next()).await.unwrap() {
        client.unwrap();
    }
}
