//! One story, told to every kind of gateway; and what only the socket of the embedded one can do wrong.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use gateways::{Driver, Gateway, GatewayError, LIMIT, Memory, Severed};
use kill_wire::{Class, Latch, LatchSet, ProbePoint, RouteKind, Scope, Timestamp};
use net_model::{ControlReply, ControlRequest, Overlay};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;

fn overlay(seq: u64, cut: &[&str], paused: &[Scope]) -> Overlay {
    let latches: Vec<Latch> = cut
        .iter()
        .zip(1_u32..)
        .map(|(scope, n)| Latch {
            incident: n.try_into().unwrap(),
            scope: scope.parse().unwrap(),
            since: Timestamp::from_millis(1),
        })
        .collect();
    Overlay {
        seq,
        latches: LatchSet::try_from(latches).unwrap(),
        paused: paused.to_vec(),
        held: Vec::new(),
    }
}

fn way(target: &str, class: Class) -> ProbePoint {
    ProbePoint {
        kind: RouteKind::Llm,
        consumer: "agent".parse().unwrap(),
        route: "chat".parse().unwrap(),
        target: target.parse().unwrap(),
        class,
    }
}

/// What every gateway does, whatever its kind. `state` is the gateway's own side.
async fn story(driver: &Driver, state: &Memory) {
    let fresh = driver.observe().await.unwrap();
    assert_eq!((fresh.seq, fresh.open), (None, 0));

    assert_eq!(
        driver.apply(&overlay(3, &[], &[Scope::All])).await.unwrap(),
        Severed::default()
    );
    assert!(state.open(way("ollama", Class::Local)).is_err());
    assert_eq!(driver.observe().await.unwrap().paused, [Scope::All]);

    // The end of a pause carries the number of its beginning.
    driver.apply(&overlay(3, &[], &[])).await.unwrap();
    state.open(way("ollama", Class::Local)).unwrap();
    state.open(way("openrouter", Class::Cloud)).unwrap();
    assert_eq!(driver.observe().await.unwrap().open, 2);

    let cut = driver.apply(&overlay(4, &["CLOUD"], &[])).await.unwrap();
    assert_eq!((cut.severed, cut.lingering), (1, 0));
    assert!(state.open(way("openrouter", Class::Cloud)).is_err());
    assert_eq!(
        driver
            .apply(&overlay(4, &["CLOUD"], &[]))
            .await
            .unwrap()
            .severed,
        0
    );

    let older = driver.apply(&overlay(3, &[], &[])).await.unwrap_err();
    assert!(matches!(older, GatewayError::Refused(_)), "{older}");
    let now = driver.observe().await.unwrap();
    assert_eq!((now.seq, now.open, &now.boot), (Some(4), 1, &fresh.boot));

    state.restart();
    let back = driver.observe().await.unwrap();
    assert!(back.boot != fresh.boot && back.seq.is_none());
    driver.apply(&overlay(4, &["ALL"], &[])).await.unwrap();

    state.fail(true);
    assert!(driver.apply(&overlay(5, &[], &[])).await.is_err());
    assert!(driver.observe().await.is_err());
    state.fail(false);
    assert_eq!(driver.observe().await.unwrap().seq, Some(4));

    state.lag(LIMIT * 3);
    let begun = tokio::time::Instant::now();
    let silent = driver.apply(&overlay(6, &[], &[])).await.unwrap_err();
    assert!(matches!(silent, GatewayError::Silent(_)), "{silent}");
    assert!(begun.elapsed() < LIMIT * 2);
    state.lag(Duration::ZERO);
    driver.apply(&overlay(7, &[], &[])).await.unwrap();
}

#[tokio::test]
async fn the_twin_lives_the_story() {
    let state = Memory::default();
    story(&Driver::Memory(state.clone()), &state).await;
}

/// A double of the embedded gateway's control socket: real socket and lines, the twin behind it.
struct Double {
    socket: PathBuf,
    accepted: Arc<AtomicU32>,
    tasks: JoinSet<()>,
    _dir: tempfile::TempDir,
}

impl Double {
    fn new(state: &Memory) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("control.sock");
        let mut double = Self {
            socket: socket.clone(),
            accepted: Arc::default(),
            tasks: JoinSet::new(),
            _dir: dir,
        };
        double.listen(&socket, state);
        double
    }

    fn listen(&mut self, socket: &Path, state: &Memory) {
        let listener = UnixListener::bind(socket).unwrap();
        let (state, accepted) = (state.clone(), self.accepted.clone());
        self.tasks.spawn(async move {
            let mut clients = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                accepted.fetch_add(1, Ordering::Relaxed);
                clients.spawn(serve(client, state.clone()));
            }
        });
    }
}

async fn serve(client: UnixStream, state: Memory) {
    let mut client = BufReader::new(client);
    let mut line = String::new();
    while client.read_line(&mut line).await.is_ok_and(|n| n > 0) {
        let reply = match serde_json::from_str(&line).unwrap() {
            ControlRequest::Observe | ControlRequest::Follow => {
                let observed = state.observe().await;
                observed.map(|observed| ControlReply::Observed(Box::new(observed)))
            }
            ControlRequest::Apply(overlay) => {
                let applied = state.apply(&overlay).await;
                applied.map(|cut| ControlReply::Applied {
                    seq: overlay.seq,
                    severed: cut.severed,
                    lingering: cut.lingering,
                })
            }
            ControlRequest::Capture(_)
            | ControlRequest::StopCapture
            | ControlRequest::CaptureStatus
            | ControlRequest::Test { .. } => Ok(ControlReply::Capture { capture: None }),
        };
        let reply = reply.unwrap_or_else(|error| ControlReply::Refused {
            message: error.to_string(),
        });
        let mut answer = serde_json::to_vec(&reply).unwrap();
        answer.push(b'\n');
        if client.get_mut().write_all(&answer).await.is_err() {
            return;
        }
        line.clear();
    }
}

#[tokio::test]
async fn the_embedded_gateway_lives_the_story() {
    let state = Memory::default();
    let double = Double::new(&state);
    story(&Driver::embedded(double.socket.clone()), &state).await;
    // One connection for looks, one for orders, one more after the order that was given up.
    assert_eq!(double.accepted.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn a_gateway_that_comes_back_is_reached_again() {
    let state = Memory::default();
    let mut double = Double::new(&state);
    let socket = double.socket.clone();
    let driver = Driver::embedded(socket.clone());
    driver.apply(&overlay(1, &[], &[])).await.unwrap();
    driver.observe().await.unwrap();
    double.tasks.shutdown().await;
    std::fs::remove_file(&socket).unwrap();
    let gone = driver.apply(&overlay(2, &[], &[])).await.unwrap_err();
    assert!(matches!(gone, GatewayError::Unreachable(_)), "{gone}");
    double.listen(&socket, &state);
    driver.apply(&overlay(2, &[], &[])).await.unwrap();
    assert_eq!(driver.observe().await.unwrap().seq, Some(2));
}

/// Answers every line with `answer`, then closes when `close`.
async fn against(answer: Vec<u8>, close: bool) -> GatewayError {
    let dir = tempfile::tempdir().unwrap();
    let listener = UnixListener::bind(dir.path().join("s")).unwrap();
    let driver = Driver::embedded(dir.path().join("s"));
    let peer = async {
        let mut kept = Vec::new();
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            // The client may hang up before it has read everything.
            let sent = client.write_all(&answer).await;
            if sent.is_ok() && !close {
                kept.push(client);
            }
        }
    };
    tokio::select! {
        error = driver.observe() => error.unwrap_err(),
        () = peer => unreachable!("it accepts for ever"),
    }
}

#[tokio::test]
async fn answers_that_are_none_are_errors() {
    for (answer, close) in [
        (&b"nonsense\n"[..], false),
        (
            b"{\"is\":\"applied\",\"seq\":1,\"severed\":0,\"lingering\":0}\n",
            false,
        ),
    ] {
        let error = against(answer.to_vec(), close).await;
        assert!(matches!(error, GatewayError::Garbled(_)), "{error}");
    }
    let error = against(b"{\"is\":\"obse".to_vec(), true).await;
    assert!(matches!(error, GatewayError::Unreachable(_)), "{error}");
    let error = against(vec![b'x'; 2 << 20], false).await;
    assert!(error.to_string().contains("too long"), "{error}");
    let error = against(Vec::new(), false).await;
    assert!(matches!(error, GatewayError::Silent(_)), "{error}");
}
