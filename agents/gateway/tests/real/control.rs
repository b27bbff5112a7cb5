//! The control socket and the data port against nonsense.

use crate::support::*;
use gateway::{Gateway, Settings};
use net_model::{ControlReply, ControlRequest, KeyHash, RouteTable, Rules};
use std::{os::unix::fs::PermissionsExt as _, path::Path, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
    time::timeout,
};

fn try_start(dir: &Path) -> anyhow::Result<Gateway> {
    let settings = Settings {
        table: RouteTable::default(),
        rules: Rules::default(),
        control_socket: dir.join("control.sock"),
        spool_dir: dir.join("spool"),
        probe_key: KeyHash::of(b"probe"),
        front: gateway::Front::default(),
    };
    Gateway::start(settings, std::net::TcpListener::bind("127.0.0.1:0")?)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_overlay_is_refused_and_changes_nothing() {
    let site = Site::open().await;
    site.apply(9, &["chat"]).await;
    let older = serde_json::to_string(&ControlRequest::Apply(overlay(8, &[]))).unwrap();
    assert!(matches!(
        site.control(&older).await,
        ControlReply::Refused { .. }
    ));
    assert_eq!(site.observed().await.seq, Some(9));
    assert_eq!(site.post(CLAW, r#"{"model":"steady"}"#).await.status, 503);
}

#[tokio::test(flavor = "multi_thread")]
async fn nonsense_on_the_control_socket_changes_nothing() {
    let site = Site::open().await;
    let mut talk = Talk::to(&site.socket()).await;
    for line in [
        "",
        "{}",
        "null",
        r#"{"do":"open"}"#,
        r#"{"do":"apply"}"#,
        r#"{"do":"apply","seq":-1}"#,
        "\u{0}\u{1}",
        "[[[[",
    ] {
        assert!(
            matches!(talk.ask(line).await, ControlReply::Refused { .. }),
            "{line}"
        );
    }
    // The same connection still works.
    assert!(matches!(
        talk.ask(r#"{"do":"observe"}"#).await,
        ControlReply::Observed(_)
    ));
    let mut endless = Talk::to(&site.socket()).await;
    endless.say(&vec![b'x'; 300 * 1024]).await;
    assert!(!matches!(
        endless.hear().await,
        Some(ControlReply::Applied { .. })
    ));
    let mut half = Talk::to(&site.socket()).await;
    half.say(br#"{"do":"apply","seq":99,"latches":[],"paused":[]}"#)
        .await;
    drop(half);
    assert_eq!(site.observed().await.seq, Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_socket_is_for_its_owner_alone_and_a_stale_one_is_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("control.sock");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert!(path.exists(), "a socket nobody listens at was left behind");
    let gateway = try_start(dir.path()).unwrap();
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let error = try_start(dir.path()).unwrap_err();
    assert!(error.to_string().contains("another gateway"), "{error}");
    gateway.drain(Duration::ZERO).await;
    assert!(!path.exists());
    std::fs::write(&path, "not a socket").unwrap();
    assert!(try_start(dir.path()).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn each_start_has_its_own_boot_id() {
    let (first, second) = (Site::closed(), Site::closed());
    let (first, second) = (first.observed().await, second.observed().await);
    assert_ne!(first.boot, second.boot);
    assert_eq!(first.seq, None);
    assert_eq!(first.consumers.len() + first.routes.len(), 4);
    assert!(first.started.millis() > 1_600_000_000_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn nonsense_on_the_data_port_hurts_nobody_else() {
    let site = Site::open().await;
    let long = format!("GET /{} HTTP/1.1\r\n", "x".repeat(100_000));
    for bytes in [
        b"\x16\x03\x01\x02\x00\x01\x00".as_slice(),
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /v1/chat/completions HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
        b"POST /v1/chat/completions HTTP/1.1\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello",
        b"POST /v1/chat/completions HTTP/1.1\r\ntransfer-encoding: chunked\r\ncontent-length: 3\r\n\r\nzz\r\n",
        b"\0\0\0\0\r\n\r\n",
        long.as_bytes(),
    ] {
        let mut stream = TcpStream::connect(site.addr()).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        let _reset_or_not = timeout(LIMIT, stream.read_to_end(&mut answer)).await.unwrap();
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 4"), "{}", String::from_utf8_lossy(&answer));
    }
    assert_eq!(
        site.post(CLAW, r#"{"model":"steady","max_tokens":1}"#)
            .await
            .status,
        200
    );
    assert_eq!(site.home.log().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_past_the_last_seat_is_told_so() {
    let room = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    if room.is_some_and(|room| room < 9000) {
        println!("skipped: this test needs 9000 descriptors, the limit is {room:?}");
        return;
    }
    let site = Site::open().await;
    let mut seated = Vec::new();
    for _ in 0..4096 {
        seated.push(TcpStream::connect(site.addr()).await.unwrap());
    }
    let mut late = JoinSet::new();
    for _ in 0..8 {
        let addr = site.addr();
        late.spawn(async move {
            let mut stream = TcpStream::connect(addr).await.unwrap();
            let mut answer = String::new();
            timeout(LIMIT, stream.read_to_string(&mut answer))
                .await
                .unwrap()
                .unwrap();
            answer
        });
    }
    while let Some(answer) = late.join_next().await {
        let answer = answer.unwrap();
        assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
        assert!(answer.contains(r#""code":"busy""#));
    }
    // The agent's way in does not depend on a seat.
    assert_eq!(site.apply(2, &["all"]).await, 0);
}
