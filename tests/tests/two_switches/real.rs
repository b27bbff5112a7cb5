//! Two real kill switches and a real node agent on loopback. One of the kill switches is a process of its own, so that
//! it can be killed as a power cut would.

use crate::people::{people, restore_code};
use gateways::{Driver, Memory};
use kill_wire::{LatchSet, LeverReply, LeverRequest, SigningKey, StateReport, Timestamp};
use killctl::Lever;
use killswitchd::{KillSwitch, Peer, Settings, lever_socket};
use node_agent::{NodeAgent, Silence};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);
const LIMIT: Duration = Duration::from_secs(8);
/// What the second process is told: its folder, its address, the agent's, the other's.
const ROLE: &str = "PORTCULLIS_TEST_SECOND";

fn key(at: u8) -> SigningKey {
    SigningKey::from_bytes(&[at + 1; 32])
}

fn now() -> Timestamp {
    let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap())
}

#[expect(clippy::disallowed_methods, reason = "a test waits with a limit")]
fn wait_for(what: &str, mut reached: impl FnMut() -> bool) {
    let begun = std::time::Instant::now();
    while !reached() {
        assert!(begun.elapsed() < PATIENCE, "not reached: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// An address of this host that is free now, and later again.
fn free() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

fn settings(dir: &Path, at: u8, agent: SocketAddr, other: SocketAddr) -> Settings {
    Settings {
        state_dir: dir.to_owned(),
        agents: vec![agent],
        peers: vec![Peer {
            name: format!("number-{}", 1 - at),
            address: other,
            key: key(1 - at).verifying_key(),
        }],
        instance: Some(at),
        ..Settings::default()
    }
}

fn create(dir: &Path, at: u8) {
    std::fs::create_dir_all(dir).unwrap();
    killswitchd::create_state(dir, &key(at)).unwrap();
    std::fs::write(dir.join("people.json"), people().to_json()).unwrap();
}

/// Where everything stands.
struct Site {
    dir: tempfile::TempDir,
    gateway: Memory,
    agent: SocketAddr,
    _agent: NodeAgent,
    addresses: [SocketAddr; 2],
}

impl Site {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for at in 0..2 {
            create(&dir.path().join(format!("{at}")), at);
        }
        let state_dir = dir.path().join("agent");
        node_agent::create_state(&state_dir).unwrap();
        let gateway = Memory::default();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let agent = listener.local_addr().unwrap();
        let settings = node_agent::Settings {
            node: "lab".to_owned(),
            keys: (0..2).map(|at| key(at).verifying_key()).collect(),
            state_dir,
            gateways: vec![Driver::Memory(gateway.clone())],
            on_silence: Silence::default(),
            direct: Vec::new(),
            fence: None,
        };
        Self {
            dir,
            gateway,
            agent,
            _agent: NodeAgent::start(settings, listener).unwrap(),
            addresses: [free(), free()],
        }
    }

    fn folder(&self, at: u8) -> PathBuf {
        self.dir.path().join(format!("{at}"))
    }

    /// Kill switch 0 in this process; `other` is where it believes that number 1 stands.
    fn first(&self, other: SocketAddr) -> KillSwitch {
        let listener = TcpListener::bind(self.addresses[0]).unwrap();
        KillSwitch::start(settings(&self.folder(0), 0, self.agent, other), listener).unwrap()
    }

    /// Kill switch 1 in a process of its own.
    #[expect(clippy::disallowed_methods, reason = "a test needs a process to kill")]
    fn second(&self, other: SocketAddr) -> Second {
        let folder = self.folder(1);
        let role = format!(
            "{} {} {} {other}",
            folder.display(),
            self.addresses[1],
            self.agent
        );
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "real::the_second_process", "--nocapture"])
            .env(ROLE, role)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let second = Second(child);
        wait_for("the second kill switch", || self.try_state(1).is_some());
        second
    }

    fn lever(&self, at: u8) -> Lever {
        Lever::at(lever_socket(&self.folder(at)))
    }

    fn try_state(&self, at: u8) -> Option<StateReport> {
        match self.lever(at).ask(&LeverRequest::State, LIMIT) {
            Ok(LeverReply::State(state)) => Some(*state),
            _ => None,
        }
    }

    fn cut(&self, at: u8, scope: &str) {
        let cut = LeverRequest::Cut {
            scope: scope.parse().unwrap(),
            by: "test".to_owned(),
            why: "test".to_owned(),
        };
        let reply = self.lever(at).ask(&cut, LIMIT).unwrap();
        assert!(matches!(reply, LeverReply::Cut(_)), "{reply:?}");
    }

    /// With a code of the next half minute: newer than any KILL of this one.
    fn restore(&self, at: u8, scope: &str, by: &str) -> LatchSet {
        let mut refused = String::new();
        let mut remaining = None;
        wait_for("a restore", || {
            let restore = LeverRequest::Restore {
                scope: scope.parse().unwrap(),
                code: restore_code(by, kill_wire::Step::new(now().step().get() + 1)),
                by: by.to_owned(),
            };
            match self.lever(at).ask(&restore, LIMIT) {
                Ok(LeverReply::Restored {
                    remaining: left, ..
                }) => remaining = Some(left),
                other => refused = format!("{other:?}"),
            }
            remaining.is_some()
        });
        remaining.unwrap_or_else(|| panic!("{refused}"))
    }

    fn cut_at(&self, at: u8) -> Vec<String> {
        let state = self.try_state(at).unwrap();
        let latches = state.latches.as_slice().iter();
        latches.map(|latch| latch.scope.to_string()).collect()
    }

    /// What the gateway of the agent holds shut; `None` while it is paused.
    fn held(&self) -> Option<Vec<String>> {
        let overlay = self.gateway.overlay()?;
        let scopes = overlay.latches.as_slice().iter();
        let scopes = scopes.map(|latch| latch.scope.to_string()).collect();
        overlay.paused.is_empty().then_some(scopes)
    }

    fn until_held(&self, scopes: &[&str]) {
        let what = format!("the gateway holds {scopes:?}");
        wait_for(&what, || self.held().is_some_and(|held| held == scopes));
    }

    fn until_shown(&self, at: u8, scopes: &[&str]) {
        let what = format!("kill switch {at} shows {scopes:?}");
        wait_for(&what, || self.cut_at(at) == scopes);
    }
}

/// The second process; killed at the end.
struct Second(Child);

impl Second {
    /// As a power cut would.
    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Second {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Not a test: what the second process runs until it is killed.
#[test]
fn the_second_process() {
    let Ok(role) = std::env::var(ROLE) else {
        return;
    };
    let words: Vec<&str> = role.split(' ').collect();
    let address: SocketAddr = words[1].parse().unwrap();
    let (agent, other) = (words[2].parse().unwrap(), words[3].parse().unwrap());
    let listener = TcpListener::bind(address).unwrap();
    let settings = settings(Path::new(words[0]), 1, agent, other);
    let _second = KillSwitch::start(settings, listener).unwrap();
    std::thread::sleep(Duration::from_secs(300));
}

#[test]
fn what_the_dead_one_cut_is_restored_at_the_other_and_stays_so_when_it_comes_back() {
    let site = Site::new();
    let first = site.first(site.addresses[1]);
    let second = site.second(site.addresses[0]);
    site.until_held(&[]);
    site.cut(1, "LLM");
    site.until_held(&["LLM"]);
    site.until_shown(0, &["LLM"]);
    second.kill();
    assert!(site.restore(0, "LLM", "anna").is_empty());
    site.until_held(&[]);
    // It comes back with its latch, hears of the restore, and lets go.
    let second = site.second(site.addresses[0]);
    site.until_shown(1, &[]);
    assert_eq!(site.held(), Some(Vec::new()));
    site.cut(1, "LLM");
    site.until_held(&["LLM"]);
    site.until_shown(0, &["LLM"]);
    second.kill();
    first.stop(PATIENCE);
}

#[test]
fn in_a_split_both_cut_and_neither_opens_what_the_other_cut() {
    let nobody = free();
    let site = Site::new();
    let first = site.first(nobody);
    let second = site.second(nobody);
    site.until_held(&[]);
    site.cut(0, "ALL");
    site.cut(1, "ALL");
    assert_eq!(site.cut_at(0), ["ALL"]);
    assert!(site.restore(0, "ALL", "anna").is_empty());
    assert_eq!(site.cut_at(1), ["ALL"]);
    site.until_held(&["ALL"]);
    // They find each other again: now one restore has seen both.
    first.stop(PATIENCE);
    second.kill();
    let first = site.first(site.addresses[1]);
    let second = site.second(site.addresses[0]);
    site.until_shown(0, &["ALL"]);
    site.until_held(&["ALL"]);
    let state = site.try_state(0).unwrap();
    let incidents: Vec<u32> = state
        .latches
        .as_slice()
        .iter()
        .map(|it| it.incident.get())
        .collect();
    assert_eq!(incidents, [1], "the second one's number");
    assert_eq!(state.peers.len(), 1);
    assert!(site.restore(0, "ALL", "ben").is_empty());
    site.until_shown(1, &[]);
    site.until_held(&[]);
    let journal = std::fs::read_to_string(site.folder(1).join("journal.jsonl")).unwrap();
    assert!(journal.contains("peer_restored"), "{journal}");
    second.kill();
    first.stop(PATIENCE);
}
