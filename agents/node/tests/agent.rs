//! A real agent on a real socket, with the memory twin as its gateway.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use gateways::{Driver, Memory};
use kill_wire::{
    Challenge, Class, Grant, Latch, LatchSet, Order, ProbePoint, Receipt, Refusal, RouteKind,
    Scope, SigningKey, Timestamp,
};
use net_model::Overlay;
use node_agent::{NodeAgent, OnSilence, Settings, Silence};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(5);

struct Site {
    dir: tempfile::TempDir,
    gateway: Memory,
    on_silence: OnSilence,
    agent: Option<NodeAgent>,
    address: SocketAddr,
    line: Option<TcpStream>,
    challenge: Option<Challenge>,
}

fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

#[expect(clippy::disallowed_methods, reason = "a test waits with a limit")]
fn wait_for(what: &str, mut reached: impl FnMut() -> bool) -> Duration {
    let begun = std::time::Instant::now();
    while !reached() {
        assert!(begun.elapsed() < PATIENCE, "not reached: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
    begun.elapsed()
}

fn cuts(scopes: &[(u32, &str)]) -> LatchSet {
    let latch = |(n, scope): &(u32, &str)| Latch {
        incident: (*n).try_into().unwrap(),
        scope: scope.parse().unwrap(),
        since: Timestamp::from_millis(1),
    };
    let latches: Vec<Latch> = scopes.iter().map(latch).collect();
    latches.try_into().unwrap()
}

fn order(seq: u64, scopes: &[(u32, &str)]) -> Order {
    Order {
        seq,
        issued: Timestamp::from_millis(1),
        nonce: [9; 16],
        grant: Grant {
            lease_ms: 60_000,
            ..Grant::default()
        },
        latches: cuts(scopes),
        theirs: Vec::new(),
    }
}

fn way() -> ProbePoint {
    ProbePoint {
        kind: RouteKind::Llm,
        consumer: "agent".parse().unwrap(),
        route: "chat".parse().unwrap(),
        target: "ollama".parse().unwrap(),
        class: Class::Local,
    }
}

impl Site {
    fn new(on_silence: OnSilence) -> Self {
        let dir = tempfile::tempdir().unwrap();
        node_agent::create_state(&dir.path().join("agent")).unwrap();
        let mut site = Self {
            dir,
            gateway: Memory::default(),
            on_silence,
            agent: None,
            address: ([127, 0, 0, 1], 0).into(),
            line: None,
            challenge: None,
        };
        site.start();
        site
    }

    fn state(&self) -> PathBuf {
        self.dir.path().join("agent")
    }

    fn start(&mut self) {
        let state = self.state();
        self.start_with(state);
    }

    fn start_with(&mut self, state_dir: PathBuf) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        self.address = listener.local_addr().unwrap();
        self.line = None;
        let settings = Settings {
            node: "lab".to_owned(),
            keys: vec![key().verifying_key()],
            state_dir,
            gateways: vec![Driver::Memory(self.gateway.clone())],
            on_silence: Silence {
                all: self.on_silence,
                hold: Vec::new(),
            },
            direct: Vec::new(),
            fence: None,
        };
        self.agent = Some(NodeAgent::start(settings, listener).unwrap());
        wait_for("the gateway is paused by the agent that starts", || {
            self.overlay()
                .is_some_and(|overlay| overlay.paused == [Scope::All])
        });
        // Whatever is asked, the answer carries a challenge.
        assert_eq!(self.http("POST /v1/orders", b"").0, 403);
    }

    fn stop(&mut self) {
        assert!(self.agent.take().unwrap().stop(PATIENCE));
    }

    fn overlay(&self) -> Option<Overlay> {
        self.gateway.overlay()
    }

    fn http(&mut self, head: &str, body: &[u8]) -> (u16, Vec<u8>) {
        let line = self.line.take();
        let mut line = line.unwrap_or_else(|| TcpStream::connect(self.address).unwrap());
        line.set_read_timeout(Some(PATIENCE)).unwrap();
        let head = format!(
            "{head} HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        line.write_all(&[head.as_bytes(), body].concat()).unwrap();
        let mut read = Vec::new();
        let end = loop {
            let mut byte = [0];
            line.read_exact(&mut byte).unwrap();
            read.push(byte[0]);
            if read.ends_with(b"\r\n\r\n") {
                break String::from_utf8(read).unwrap().to_lowercase();
            }
        };
        let status = end.get(9..12).unwrap().parse().unwrap();
        let length = end
            .split("content-length: ")
            .nth(1)
            .unwrap()
            .lines()
            .next()
            .unwrap();
        let challenge = end.split("x-portcullis-challenge: ").nth(1);
        if let Some(challenge) = challenge.and_then(|rest| rest.lines().next()) {
            self.challenge = Some(challenge.parse().unwrap());
        }
        let mut body = vec![0; length.parse().unwrap()];
        line.read_exact(&mut body).unwrap();
        self.line = Some(line);
        (status, body)
    }

    /// Sends an order that answers the newest challenge.
    fn post(&mut self, order: &Order) -> Result<Receipt, (u16, Refusal)> {
        let mut order = order.clone();
        order.grant.answers = self.challenge.into_iter().collect();
        self.post_late(&order)
    }

    fn post_late(&mut self, order: &Order) -> Result<Receipt, (u16, Refusal)> {
        let (status, body) = self.http("POST /v1/orders", &order.seal(&key()));
        if status == 200 {
            return Ok(serde_json::from_slice(&body).unwrap());
        }
        Err((status, serde_json::from_slice(&body).unwrap()))
    }
}

#[test]
fn orders_are_carried_out_and_answered_over_one_kept_connection() {
    let mut site = Site::new(OnSilence::Cut);
    let receipt = site.post(&order(1, &[])).unwrap();
    assert_eq!(
        (receipt.seq, receipt.node.as_str(), receipt.failed.len()),
        (1, "lab", 0)
    );
    assert!(site.overlay().unwrap().paused.is_empty());
    site.gateway.open(way()).unwrap();
    let receipt = site.post(&order(2, &[(1, "LLM")])).unwrap();
    assert_eq!((receipt.seq, receipt.severed, receipt.lingering), (2, 1, 0));
    assert!(receipt.took_us > 0 && receipt.failed.is_empty());
    assert_eq!(site.overlay().unwrap().latches, cuts(&[(1, "LLM")]));
    let receipt = site.post(&order(3, &[])).unwrap();
    assert_eq!((receipt.seq, receipt.severed), (3, 0));
    site.gateway.open(way()).unwrap();
    let (status, body) = site.http("GET /healthz", b"");
    let health: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(
        (status, &health["seq"], &health["silent"]),
        (200, &3.into(), &false.into())
    );
    site.stop();
    assert!(
        TcpStream::connect(site.address).is_err(),
        "nothing listens any more"
    );
}

#[test]
fn what_goes_on_at_a_gateway_is_answered_as_not_confirmed_until_it_has_ended() {
    let mut site = Site::new(OnSilence::Cut);
    site.post(&order(1, &[])).unwrap();
    site.gateway.open(way()).unwrap();
    site.gateway.go_on(true);
    for seq in [2, 3] {
        let receipt = site.post(&order(seq, &[(1, "LLM")])).unwrap();
        assert_eq!(receipt.failed, ["memory: streams go on: told to go on"]);
        assert_eq!(site.overlay().unwrap().latches, cuts(&[(1, "LLM")]));
    }
    site.gateway.go_on(false);
    let receipt = site.post(&order(4, &[(1, "LLM")])).unwrap();
    assert_eq!((receipt.severed, receipt.failed.len()), (1, 0));
    site.stop();
}

#[test]
fn what_is_no_good_order_is_refused_and_changes_nothing() {
    let mut site = Site::new(OnSilence::Cut);
    site.post(&order(5, &[(1, "ALL")])).unwrap();
    let held = site.overlay();
    assert_eq!(
        site.post(&order(5, &[])),
        Err((409, Refusal::Stale { current: 5 }))
    );
    let mut late = order(6, &[]);
    late.grant.answers = vec![Challenge(1)];
    assert_eq!(site.post_late(&late), Err((410, Refusal::Unanswered)));
    let theirs = order(7, &[]).seal(&SigningKey::from_bytes(&[8; 32]));
    let (status, body) = site.http("POST /v1/orders", &theirs);
    assert_eq!(
        (status, &body[..]),
        (403, &br#"{"refused":"unsigned"}"#[..])
    );
    assert_eq!(site.http("GET /v1/orders", b"").0, 405);
    assert_eq!(site.http("GET /v1/else", b"").0, 404);
    assert_eq!(site.overlay(), held);
    // Too long: refused, however the connection ends.
    site.line = None;
    assert_eq!(site.http("POST /v1/orders", &vec![b'x'; 41 * 1024]).0, 400);
    site.line = None;
    assert_eq!(site.post(&order(8, &[(1, "ALL")])).unwrap().seq, 8);
}

#[test]
fn a_late_cut_still_cuts() {
    let mut site = Site::new(OnSilence::Cut);
    site.post(&order(1, &[])).unwrap();
    assert_eq!(site.post_late(&order(2, &[(1, "LLM")])).unwrap().seq, 1);
    assert_eq!(site.overlay().unwrap().latches, cuts(&[(1, "LLM")]));
}

#[test]
fn a_lapsed_lease_pauses_and_a_renewed_one_opens() {
    let mut site = Site::new(OnSilence::Cut);
    let mut short = order(1, &[(1, "TOOLS")]);
    short.grant.lease_ms = 700;
    site.post(&short).unwrap();
    site.gateway.open(way()).unwrap();
    assert!(site.overlay().unwrap().paused.is_empty());
    let took = wait_for("the pause", || {
        site.overlay().unwrap().paused == [Scope::All]
    });
    assert!(took > Duration::from_millis(300), "{took:?}");
    assert!(site.gateway.open(way()).is_err());
    site.post(&order(2, &[(1, "TOOLS")])).unwrap();
    site.gateway.open(way()).unwrap();
    assert_eq!(site.overlay().unwrap().latches, cuts(&[(1, "TOOLS")]));
}

#[test]
fn where_silence_holds_a_lapsed_lease_changes_nothing() {
    let mut site = Site::new(OnSilence::Hold);
    let mut short = order(1, &[]);
    short.grant.lease_ms = 1;
    site.post(&short).unwrap();
    wait_for("the lapse", || {
        let (_, body) = site.http("GET /healthz", b"");
        serde_json::from_slice::<serde_json::Value>(&body).unwrap()["silent"] == true
    });
    assert!(site.overlay().unwrap().paused.is_empty());
}

#[test]
fn an_agent_that_restarts_holds_its_latches_and_waits_for_an_order() {
    let mut site = Site::new(OnSilence::Cut);
    site.post(&order(4, &[(1, "LLM"), (2, "CLOUD")])).unwrap();
    site.stop();
    site.gateway.restart();
    site.start();
    let overlay = site.overlay().unwrap();
    assert_eq!(
        (overlay.seq, &overlay.latches),
        (4, &cuts(&[(1, "LLM"), (2, "CLOUD")]))
    );
    assert_eq!(
        site.post(&order(4, &[])),
        Err((409, Refusal::Stale { current: 4 }))
    );
    site.post(&order(5, &[])).unwrap();
    site.stop();
    site.start();
    assert_eq!(site.overlay().unwrap().latches, cuts(&[]));
}

#[test]
fn a_gateway_that_restarts_is_told_again() {
    let mut site = Site::new(OnSilence::Cut);
    site.post(&order(1, &[(1, "LLM")])).unwrap();
    let told = site.gateway.applied();
    site.gateway.restart();
    let took = wait_for("the overlay is back", || {
        site.overlay()
            .is_some_and(|overlay| overlay.latches == cuts(&[(1, "LLM")]))
    });
    assert!(took < Duration::from_secs(2), "{took:?}");
    // Once is enough: nothing differs any more.
    std::thread::sleep(Duration::from_millis(1200));
    assert_eq!(site.gateway.applied(), told + 1);
}

#[test]
fn a_gateway_that_cannot_be_told_is_named_and_told_when_it_can() {
    let mut site = Site::new(OnSilence::Cut);
    site.post(&order(1, &[])).unwrap();
    site.gateway.fail(true);
    let receipt = site.post(&order(2, &[(1, "ALL")])).unwrap();
    assert_eq!(receipt.failed, ["memory: cannot be reached: told to fail"]);
    site.gateway.fail(false);
    wait_for("the cut", || {
        site.overlay().unwrap().latches == cuts(&[(1, "ALL")])
    });
    site.gateway.lag(PATIENCE);
    let receipt = site.post(&order(3, &[(1, "ALL")])).unwrap();
    assert_eq!(receipt.failed, ["memory: did not answer within 800ms"]);
    assert!(receipt.took_us < 1_000_000, "{}", receipt.took_us);
}

#[test]
fn a_caller_that_hangs_up_does_not_stop_its_order() {
    let mut site = Site::new(OnSilence::Cut);
    site.post(&order(1, &[])).unwrap();
    site.gateway.lag(Duration::from_millis(300));
    let bytes = order(2, &[(1, "ALL")]).seal(&key());
    let mut line = TcpStream::connect(site.address).unwrap();
    let head = format!(
        "POST /v1/orders HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n",
        bytes.len()
    );
    line.write_all(&[head.as_bytes(), &bytes].concat()).unwrap();
    drop(line);
    wait_for("the cut", || {
        site.overlay().unwrap().latches == cuts(&[(1, "ALL")])
    });
}

#[test]
fn idle_connections_do_not_keep_an_order_out() {
    let mut site = Site::new(OnSilence::Cut);
    site.line = None;
    let idle: Vec<TcpStream> = (0..100)
        .map(|_| TcpStream::connect(site.address).unwrap())
        .collect();
    site.post(&order(1, &[(1, "ALL")])).unwrap();
    drop(idle);
}

#[test]
fn deleted_or_garbled_state_comes_up_closed_and_an_order_mends_it() {
    let ruin: [fn(&Path); 3] = [
        |dir| std::fs::remove_dir_all(dir).unwrap(),
        |dir| std::fs::write(dir.join("latch.b"), "garbage").unwrap(),
        |dir| {
            // Whole slots, but not with what this version writes.
            std::fs::remove_dir_all(dir).unwrap();
            std::fs::create_dir(dir).unwrap();
            kill_files::Slots::create(dir, "latch", b"{\"seq\":\"x\"}").unwrap();
        },
    ];
    for ruin in ruin {
        let mut site = Site::new(OnSilence::Hold);
        site.post(&order(1, &[])).unwrap();
        site.stop();
        ruin(&site.state());
        site.start();
        site.post(&order(9, &[(1, "TOOLS")])).unwrap();
        assert!(site.overlay().unwrap().paused.is_empty());
        site.stop();
        site.start();
        assert_eq!(site.overlay().unwrap().latches, cuts(&[(1, "TOOLS")]));
        assert_eq!(site.overlay().unwrap().seq, 9);
    }
}

/// Where nothing can be written, a cut happens and says so; a release is refused until it can be recorded.
fn cannot_write(site: &mut Site, heal: impl FnOnce()) {
    let receipt = site.post(&order(2, &[(1, "LLM")])).unwrap();
    let unsaved = receipt.unsaved.as_deref().unwrap_or_default();
    assert!(
        receipt.failed.is_empty() && unsaved.starts_with("state: "),
        "{receipt:?}"
    );
    assert_eq!(site.overlay().unwrap().latches, cuts(&[(1, "LLM")]));
    let refused = site.post(&order(3, &[(2, "TOOLS")]));
    assert!(
        matches!(refused, Err((500, Refusal::NotSaved { .. }))),
        "{refused:?}"
    );
    assert_eq!(
        site.overlay().unwrap().latches,
        cuts(&[(1, "LLM"), (2, "TOOLS")])
    );
    heal();
    let receipt = site.post(&order(4, &[(2, "TOOLS")])).unwrap();
    assert!(
        receipt.failed.is_empty() && receipt.unsaved.is_none(),
        "{receipt:?}"
    );
    assert_eq!(site.overlay().unwrap().latches, cuts(&[(2, "TOOLS")]));
}

#[test]
fn a_state_folder_that_is_gone_stops_no_cut_and_every_release() {
    let mut site = Site::new(OnSilence::Cut);
    site.post(&order(1, &[])).unwrap();
    let state = site.state();
    std::fs::remove_dir_all(&state).unwrap();
    std::fs::write(&state, "a file in place of the folder").unwrap();
    cannot_write(&mut site, || {
        std::fs::remove_file(&state).unwrap();
        std::fs::create_dir(&state).unwrap();
    });
}

#[expect(clippy::disallowed_methods, reason = "a test mounts a file system")]
fn mount(words: &[&str]) -> Result<(), String> {
    let run = std::process::Command::new("mount").args(words).output();
    match run {
        Ok(done) if done.status.success() => Ok(()),
        Ok(done) => Err(String::from_utf8_lossy(&done.stderr).into_owned()),
        Err(error) => Err(error.to_string()),
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test unmounts what it mounted")]
fn a_read_only_disk_stops_no_cut_and_every_release() {
    let disk = tempfile::tempdir().unwrap();
    let path = disk.path().to_str().unwrap();
    if let Err(why) = mount(&["-t", "tmpfs", "-o", "size=1m", "tmpfs", path]) {
        eprintln!("skipped: no file system can be mounted here: {why}");
        return;
    }
    let mut site = Site::new(OnSilence::Cut);
    site.stop();
    let state = disk.path().join("agent");
    node_agent::create_state(&state).unwrap();
    mount(&["-o", "remount,ro", path]).unwrap();
    site.gateway.restart();
    site.start_with(state);
    let receipt = site.post(&order(1, &[])).unwrap();
    assert!(receipt.unsaved.is_some(), "{receipt:?}");
    cannot_write(&mut site, || mount(&["-o", "remount,rw", path]).unwrap());
    site.stop();
    std::process::Command::new("umount")
        .args(["-l", path])
        .status()
        .unwrap();
}
