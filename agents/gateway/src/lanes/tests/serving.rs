//! A gateway with a lane that is held up: a cut, and a refusal, wait for no lane.

use super::{LIMIT, hold_up};
use crate::{
    Front, Gateway, Settings,
    lanes::{FILL, Lanes},
};
use kill_wire::{Class, Latch, LatchSet, RouteKind, Scope, Timestamp};
use net_model::{
    Consumer, ControlReply, ControlRequest, ModelPattern, Overlay, Route, RouteTable, Rules,
    Secret, Target,
};
use site_tests::upstream::Upstream;
use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    os::unix::net::UnixStream,
    path::Path,
};
use tempfile::TempDir;

const KEY: &str = "pck_claw";

fn table(url: &str) -> RouteTable {
    let route = Route {
        name: "chat".parse().unwrap(),
        kind: RouteKind::Llm,
        models: vec![ModelPattern::new("*").unwrap()],
        targets: vec![0],
    };
    let key = Secret::new(KEY).unwrap().hash();
    RouteTable::new(
        vec![Target::new(
            "home".parse().unwrap(),
            Class::Local,
            url.parse().unwrap(),
        )],
        vec![route],
        vec![Consumer::new("claw".parse().unwrap(), key, vec![0])],
    )
    .unwrap()
}

fn start(dir: &TempDir, upstream: &Upstream, (lanes, fill): (usize, usize)) -> Gateway {
    let settings = Settings {
        table: table(&upstream.base_url()),
        rules: Rules::default(),
        control_socket: dir.path().join("control.sock"),
        spool_dir: dir.path().join("spool"),
        probe_key: Secret::new("prb_probe").unwrap().hash(),
        front: Front::default(),
    };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    Gateway::start_on(settings, listener, Lanes::of(lanes, fill).unwrap()).unwrap()
}

fn overlay(seq: u64, scope: Option<Scope>) -> Overlay {
    let mut latches = LatchSet::default();
    if let Some(scope) = scope {
        let since = Timestamp::default();
        let incident = "7".parse().unwrap();
        latches
            .push(Latch {
                incident,
                scope,
                since,
            })
            .unwrap();
    }
    Overlay {
        seq,
        latches,
        paused: vec![],
        held: vec![],
    }
}

/// Puts an overlay in force; calls it severed, and those that were left.
fn apply(dir: &Path, overlay: Overlay) -> (u32, u32) {
    let mut socket = UnixStream::connect(dir.join("control.sock")).unwrap();
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    let line = serde_json::to_string(&ControlRequest::Apply(overlay)).unwrap();
    writeln!(socket, "{line}").unwrap();
    let mut reply = String::new();
    BufReader::new(socket).read_line(&mut reply).unwrap();
    let reply = serde_json::from_str(&reply).unwrap();
    let ControlReply::Applied {
        severed, lingering, ..
    } = reply
    else {
        panic!("{reply:?}");
    };
    (severed, lingering)
}

fn ask(addr: SocketAddr, model: &str) -> TcpStream {
    let mut client = TcpStream::connect(addr).unwrap();
    client.set_read_timeout(Some(LIMIT)).unwrap();
    let body = format!(r#"{{"model":"{model}","stream":true,"max_tokens":100000}}"#);
    let length = body.len();
    write!(client, "POST /v1/chat/completions HTTP/1.1\r\nhost: g\r\nauthorization: Bearer {KEY}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}").unwrap();
    client
}

/// A client to whom words flow.
fn stream(addr: SocketAddr) -> TcpStream {
    let mut client = ask(addr, "steady");
    let (mut seen, mut room) = (Vec::new(), [0; 4096]);
    while !String::from_utf8_lossy(&seen).contains("data: ") {
        let came = client.read(&mut room).unwrap();
        assert_ne!(came, 0);
        seen.extend_from_slice(&room[..came]);
    }
    client
}

/// How a stream ends: with the last words of a cut, or by a reset.
fn told_why(mut client: TcpStream) -> bool {
    let mut rest = Vec::new();
    match client.read_to_end(&mut rest) {
        Ok(_) => {
            let text = String::from_utf8_lossy(&rest).into_owned();
            assert!(text.contains("portcullis_cut"), "{text}");
            true
        }
        Err(error) => {
            assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
            false
        }
    }
}

/// Asks, and is told that it is cut.
fn refused(addr: SocketAddr) {
    let mut answer = String::new();
    let mut client = ask(addr, "steady");
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert!(answer.contains("portcullis_cut"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lane_that_is_held_up_delays_neither_a_cut_nor_a_refusal() {
    let (dir, upstream) = (tempfile::tempdir().unwrap(), Upstream::start().unwrap());
    let gateway = start(&dir, &upstream, (3, 1));
    assert_eq!(apply(dir.path(), overlay(1, None)), (0, 0));
    let streams: Vec<_> = (0..9).map(|_| stream(gateway.addr)).collect();

    let held_up = hold_up(&gateway.lanes.lanes[1], &gateway.app.tasks);
    let cut = overlay(2, Some(Scope::All));
    assert_eq!(apply(dir.path(), cut), (9, 0));
    let told = streams.into_iter().map(told_why).filter(|told| *told);
    assert_eq!(
        told.count(),
        6,
        "the three of the lane that is held up are reset"
    );
    for _ in 0..6 {
        refused(gateway.addr);
    }

    drop(held_up);
    assert_eq!(upstream.ended(9, LIMIT).await.len(), 9);
    assert_eq!(apply(dir.path(), overlay(3, None)), (0, 0));
    drop(stream(gateway.addr));
    let drained = gateway.drain(LIMIT).await;
    assert_eq!(drained.cut_off, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_shares_a_lane_that_is_held_up_is_cut_and_the_next_is_refused_by_another_lane() {
    let (dir, upstream) = (tempfile::tempdir().unwrap(), Upstream::start().unwrap());
    let gateway = start(&dir, &upstream, (2, FILL));
    assert_eq!(apply(dir.path(), overlay(1, None)), (0, 0));
    let streams: Vec<_> = (0..4).map(|_| stream(gateway.addr)).collect();
    let held_up = hold_up(&gateway.lanes.lanes[0], &gateway.app.tasks);
    let cut = overlay(2, Some(Scope::All));
    assert_eq!(apply(dir.path(), cut), (4, 0));
    assert!(!streams.into_iter().any(told_why), "all of them are reset");
    refused(gateway.addr);
    drop(held_up);
    assert_eq!(upstream.ended(4, LIMIT).await.len(), 4);
}

#[tokio::test]
async fn a_gateway_that_is_dropped_cuts_off_what_is_open_and_listens_no_more() {
    let (dir, upstream) = (tempfile::tempdir().unwrap(), Upstream::start().unwrap());
    let gateway = start(&dir, &upstream, (2, 1));
    assert_eq!(apply(dir.path(), overlay(1, None)), (0, 0));
    let (addr, mut streams) = (gateway.addr, Vec::from([stream(gateway.addr)]));
    streams.push(stream(addr));
    drop(gateway);
    for mut client in streams {
        let mut rest = Vec::new();
        // It is closed in the middle: by a reset where words were on their way.
        let _how = client.read_to_end(&mut rest);
    }
    assert_eq!(upstream.ended(2, LIMIT).await.len(), 2);
    let refused = TcpStream::connect(addr).and_then(|mut client| {
        client.set_read_timeout(Some(LIMIT))?;
        client.read(&mut [0])
    });
    assert!(!matches!(refused, Ok(1..)));
}
