//! A house of a test: its own folder, its own clocks, reports kept in a list.

use host_facts::Buffer;
use hosts::{Guest, Hosts, Intake, Reporter};
use kill_wire::{SigningKey, Timestamp};
use net_model::{Dial, HostName, ReportsAnswer, Token};
use pki::Life;
use std::future::Future;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};
use store::Store;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How much later than it is the control plane believes it to be, in milliseconds; each test is a process of its own.
static CONTROL_AHEAD: AtomicU64 = AtomicU64::new(0);
/// What the hosts believe it is; 0: the time.
static HOST_TIME: AtomicU64 = AtomicU64::new(0);

pub(crate) const HOUR: u64 = 3_600_000;
const BINARIES: &str = "binaries";

#[expect(clippy::disallowed_methods, reason = "the clock of the tests")]
fn real_ms() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    u64::try_from(since.unwrap().as_millis()).unwrap()
}

pub(crate) fn control_now() -> Timestamp {
    Timestamp::from_millis(real_ms() + CONTROL_AHEAD.load(Ordering::Relaxed))
}

pub(crate) fn host_now() -> Timestamp {
    match HOST_TIME.load(Ordering::Relaxed) {
        0 => Timestamp::from_millis(real_ms()),
        ms => Timestamp::from_millis(ms),
    }
}

pub(crate) fn control_goes_ahead(ms: u64) {
    CONTROL_AHEAD.fetch_add(ms, Ordering::Relaxed);
}

pub(crate) fn hosts_believe_it_is(ms: u64) {
    HOST_TIME.store(ms, Ordering::Relaxed);
}

/// Who brought what.
pub(crate) type Taken = Arc<Mutex<Vec<(String, u64)>>>;

#[derive(Clone, Debug, Default)]
pub(crate) struct List {
    pub(crate) taken: Taken,
}

impl Intake for List {
    async fn reports(
        &self,
        from: Reporter,
        lines: bytes::Bytes,
        _now: Timestamp,
    ) -> Result<ReportsAnswer, u32> {
        let mut answer = ReportsAnswer::default();
        let mut taken = self.taken.lock().unwrap();
        for line in lines.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
            let report: serde_json::Value = serde_json::from_slice(line).unwrap();
            let seq = report["seq"].as_u64().unwrap();
            taken.push((from.host.to_string(), seq));
            answer.through = answer.through.max(seq);
        }
        Ok(answer)
    }

    fn through(&self, host: &HostName) -> u64 {
        let taken = self.taken.lock().unwrap();
        let of = taken.iter().filter(|(name, _)| name == host.as_str());
        of.map(|(_, seq)| *seq).max().unwrap_or(0)
    }

    async fn joined(&self, _host: HostName, _now: Timestamp) {}
}

pub(crate) struct House {
    pub(crate) folder: TempDir,
    pub(crate) store: Store,
    pub(crate) address: SocketAddr,
    pub(crate) list: List,
    pub(crate) house: hosts::House,
    running: Hosts,
    tasks: TaskTracker,
    stop: CancellationToken,
}

pub(crate) fn order_key() -> SigningKey {
    SigningKey::from_bytes(&[5; 32])
}

impl House {
    pub(crate) async fn start() -> Self {
        Self::with_life(72 * HOUR).await
    }

    pub(crate) async fn with_life(life_ms: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("db")).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let ca = folder.path().join("ca");
        hosts::make_house(&ca, &"house".parse().unwrap(), control_now()).unwrap();
        let open = || {
            let keys = vec![order_key().verifying_key()];
            hosts::House::open(&ca, keys, vec![address], control_now).unwrap()
        };
        let list = List::default();
        let settings = hosts::Settings {
            store: store.clone(),
            house: open(),
            intake: list.clone(),
            life: Life::from_millis(life_ms),
            binaries: folder.path().join(BINARIES),
            clock: control_now,
        };
        Self {
            running: Hosts::start(settings, listener).unwrap(),
            house: open(),
            store,
            address,
            list,
            folder,
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        }
    }

    /// A token, as the CLI makes it.
    pub(crate) async fn invite(
        &self,
        name: &str,
        at: Option<SocketAddr>,
        anew: bool,
    ) -> Option<Token> {
        let guest = Guest {
            name: name.parse().unwrap(),
            zone: "red".parse().unwrap(),
            roles: [net_model::HostRole::RedZone].into(),
            dial: if at.is_some() { Dial::In } else { Dial::Out },
            address: at,
        };
        let now = control_now();
        let invited = hosts::invite(&self.store, &self.house, guest, anew, now).await;
        invited.unwrap().map(|it| it.token.parse().unwrap())
    }

    /// What hosts are given, and its seal.
    pub(crate) fn binaries(&self) -> PathBuf {
        self.folder.path().join(BINARIES)
    }

    pub(crate) fn state(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Joins as `node-agent join` does.
    pub(crate) async fn join(
        &self,
        token: &Token,
        name: &str,
    ) -> Result<uplink::Identity, uplink::JoinError> {
        uplink::join(token, &[self.address], &self.state(name), host_now).await
    }

    pub(crate) async fn joined(&self, name: &str) -> uplink::Identity {
        let token = self.invite(name, None, false).await.unwrap();
        self.join(&token, name).await.unwrap()
    }

    /// Runs the uplink of a host; gives its shelf.
    pub(crate) fn run(&self, name: &str, listen: SocketAddr) -> Arc<Mutex<Buffer>> {
        let state_dir = self.state(name);
        std::fs::create_dir_all(&state_dir).unwrap();
        let shelf = Buffer::open(state_dir.join("reports"), 1 << 20).unwrap();
        let shelf = Arc::new(Mutex::new(shelf));
        let settings = uplink::Settings {
            state_dir,
            shelf: Arc::clone(&shelf),
            at: Vec::new(),
            listen,
            clock: host_now,
            chance: || 0,
        };
        self.tasks.spawn(uplink::run(settings, self.stop.clone()));
        shelf
    }

    /// What this host's reports were taken as.
    pub(crate) fn taken(&self, name: &str) -> Vec<u64> {
        let taken = self.list.taken.lock().unwrap();
        let of = taken.iter().filter(|(host, _)| host == name);
        of.map(|(_, seq)| *seq).collect()
    }

    pub(crate) async fn end(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.running.stop(Duration::from_secs(5)).await;
    }
}

/// Puts one more report on the shelf.
pub(crate) fn report(shelf: &Mutex<Buffer>) -> u64 {
    let mut shelf = shelf.lock().unwrap();
    let seq = shelf.next_seq();
    let line = serde_json::json!({
        "v": 1, "seq": seq, "boot": "0123456789abcdef", "up_ms": seq, "at_ms": seq, "facts": {},
    });
    shelf.push(line.to_string().as_bytes()).unwrap();
    seq
}

/// Waits for a state, up to twenty seconds.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, mut is: impl FnMut() -> F) {
    let waiting = async {
        while !is().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(20), waiting).await;
    assert!(waited.is_ok(), "{what} did not come about");
}

/// A free port of this machine.
pub(crate) fn free() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}
