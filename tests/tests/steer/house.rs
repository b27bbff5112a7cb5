//! A host with an agent, a twin that it manages, and what stands behind the twin.

use gateway_config::{WantedWish, drivers, read_wanted};
use kill_config::{Problems, Reader, Reading, Section};
use kill_wire::{Challenge, Grant, Latch, LatchSet, Order, Receipt, SigningKey, Timestamp};
use net_model::report::DrivenFact;
use node_agent::{Driven, NodeAgent, Settings, Silence};
use site_tests::apisix::{Options, Twin};
use site_tests::upstream::{Script, Upstream};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
const KEY: &str = "claw-key-0123456789abcdef";

pub(crate) struct House {
    pub(crate) twin: Twin,
    pub(crate) local: Upstream,
    pub(crate) far: Upstream,
    agent: NodeAgent,
    address: SocketAddr,
    challenge: Option<Challenge>,
    seq: u64,
    file: String,
    dir: tempfile::TempDir,
}

/// What was answered to a request of the consumer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
}

fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

#[expect(clippy::disallowed_methods, reason = "a test waits with a limit")]
pub(crate) fn wait_for(what: &str, mut reached: impl FnMut() -> bool) {
    let begun = std::time::Instant::now();
    while !reached() {
        assert!(begun.elapsed() < PATIENCE, "not reached: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// How many model calls it has answered, once none is under way; probes are none.
pub(crate) fn chats(upstream: &Upstream) -> usize {
    wait_for("the end of what is open", || upstream.open() == 0);
    let log = upstream.log();
    let chats = log.iter().filter(|it| it.path.contains("chat/completions"));
    chats.count()
}

impl House {
    /// Open, with the local server in the lead.
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let twin = Twin::start(Options::default()).unwrap();
        let (local, far) = (Upstream::start().unwrap(), Upstream::start().unwrap());
        let state_dir = dir.path().join("agent");
        node_agent::create_state(&state_dir).unwrap();
        std::fs::write(dir.path().join("admin.key"), Options::default().admin_key).unwrap();
        std::fs::write(dir.path().join("claw.key"), KEY).unwrap();
        let file = file(&twin, &local, &far);
        let driven = driven(&file, dir.path()).0;
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let settings = Settings {
            node: "lab".to_owned(),
            keys: vec![key().verifying_key()],
            state_dir,
            gateways: Vec::new(),
            on_silence: Silence::default(),
            direct: Vec::new(),
            fence: None,
        };
        let mut house = Self {
            agent: NodeAgent::start_driving(settings, driven, listener).unwrap(),
            twin,
            local,
            far,
            address,
            challenge: None,
            seq: 0,
            file,
            dir,
        };
        assert_eq!(house.http(b"").0, 403);
        house.order(&[]);
        wait_for("the first answer", || house.ask().status == 200);
        house
    }

    /// Cuts these scopes, each by its incident, and restores all others.
    pub(crate) fn order(&mut self, scopes: &[(u32, &str)]) -> Receipt {
        self.seq += 1;
        let latch = |(n, scope): &(u32, &str)| Latch {
            incident: (*n).try_into().unwrap(),
            scope: scope.parse().unwrap(),
            since: Timestamp::from_millis(1),
        };
        let latches: Vec<Latch> = scopes.iter().map(latch).collect();
        let order = Order {
            seq: self.seq,
            issued: Timestamp::from_millis(1),
            nonce: [9; 16],
            grant: Grant {
                lease_ms: 60_000,
                answers: self.challenge.into_iter().collect(),
                ..Grant::default()
            },
            latches: LatchSet::try_from(latches).unwrap(),
            theirs: Vec::new(),
        };
        let (status, body) = self.http(&order.seal(&key()));
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
        let mut receipt: Receipt = serde_json::from_slice(&body).unwrap();
        // Here `sever = false`: what that leaves open is looked at elsewhere.
        receipt
            .failed
            .retain(|why| why != "apisix: streams go on: sever = false");
        receipt
    }

    fn http(&mut self, body: &[u8]) -> (u16, Vec<u8>) {
        let head = format!(
            "POST /v1/orders HTTP/1.1\r\nhost: a\r\ncontent-length: {}",
            body.len()
        );
        let (status, head, body) = exchange(self.address, &head, body);
        let challenge = head.split("x-portcullis-challenge: ").nth(1);
        let challenge = challenge.and_then(|rest| rest.lines().next());
        self.challenge = challenge.map(|it| it.parse().unwrap()).or(self.challenge);
        (status, body)
    }

    /// Has the gateway do what the file says with this in it, while the agent runs.
    pub(crate) fn want(&self, instead_of: &str, this: &str) {
        let file = self.file.replace(instead_of, this);
        let wanted = driven(&file, self.dir.path()).1;
        self.agent.driven().want(&wanted);
    }

    /// Asks for a completion as the consumer would.
    pub(crate) fn ask(&self) -> Answer {
        let body =
            br#"{"model":"steady","max_tokens":1,"messages":[{"role":"user","content":"hi"}]}"#;
        let head = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: gw\r\nauthorization: Bearer {KEY}\r\ncontent-type: application/json\r\ncontent-length: {}",
            body.len()
        );
        let (status, head, _) = exchange(self.twin.data, &head, body);
        Answer { status, head }
    }

    pub(crate) fn fact(&self) -> DrivenFact {
        self.agent.driven().facts()[0].clone()
    }

    /// Whether a report of this host says so.
    pub(crate) fn notes(&self, text: &str) -> bool {
        self.fact()
            .notes
            .iter()
            .any(|note| note.as_str().contains(text))
    }

    /// Has the local server fail until the one outside has taken its place.
    pub(crate) fn fall_back(&self) {
        self.local.play(Some(Script::Error500));
        wait_for("the fallback", || self.ask().status == 200);
        assert!(chats(&self.far) > 0);
    }

    pub(crate) fn stop(self) {
        assert!(self.agent.stop(PATIENCE));
    }
}

/// Sends one request on a connection of its own: status, head in lower case, body.
fn exchange(at: SocketAddr, head: &str, body: &[u8]) -> (u16, String, Vec<u8>) {
    let mut line = TcpStream::connect(at).unwrap();
    line.set_read_timeout(Some(PATIENCE)).unwrap();
    let head = format!("{head}\r\nconnection: close\r\n\r\n");
    line.write_all(&[head.as_bytes(), body].concat()).unwrap();
    let mut read = Vec::new();
    line.read_to_end(&mut read).unwrap();
    let end = read
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap();
    let head = String::from_utf8_lossy(&read[..end]).to_lowercase();
    let status = head[9..12].parse().unwrap();
    (status, head, read[end + 4..].to_vec())
}

fn file(twin: &Twin, local: &Upstream, far: &Upstream) -> String {
    format!(
        r#"
[agent]
[[agent.drivers]]
kind = "apisix"
admin = "{}"
admin_key_file = "admin.key"
control = "{}"
metrics = "{}"
data = ["{}"]
manage = true
sever = false

[[gateway.targets]]
name = "ollama"
class = "local"
base_url = "{}"
health_every = "1 s"
[gateway.targets.breaker]
failures = 3
within = "10 s"
pause = "1 s"

[[gateway.targets]]
name = "far"
class = "cloud"
base_url = "{}"

[[gateway.routes]]
name = "chat"
targets = ["ollama", "far"]

[[gateway.consumers]]
name = "claw"
key_file = "claw.key"
routes = ["chat"]
"#,
        twin.admin,
        twin.control,
        twin.metrics,
        twin.data,
        local.base_url(),
        far.base_url()
    )
}

/// What the file wants of gateways, read as the program reads it.
fn driven(text: &str, folder: &std::path::Path) -> (Vec<Driven>, WantedWish) {
    let problems = Problems::default();
    let mut warnings = Vec::new();
    let mut root = Section::root(text.parse().unwrap(), &problems);
    let mut reading = Reading {
        reader: Reader {
            channels: false,
            courier: None,
        },
        folder,
        problems: &problems,
        warnings: &mut warnings,
    };
    let mut agent = root.section("agent").unwrap();
    let wishes = drivers(&mut agent, &mut reading);
    let wanted = read_wanted(root.section("gateway"), true, &mut reading);
    let driven = wishes.iter().map(|it| Driven::wished(it, wanted.as_ref()));
    let driven = driven.collect();
    let problems = problems.into_sorted();
    assert!(problems.is_empty(), "{problems:#?}");
    (driven, wanted.unwrap())
}
