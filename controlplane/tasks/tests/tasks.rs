//! The tasks against a real folder, a real database, and a lever double: a unix socket that speaks
//! `kill_wire`'s lines with figures set by the test.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use inventory::Inventory;
use kill_wire::{Class, LeverReply, LeverRequest, StateReport, Timestamp};
use killctl::Lever;
use net_model::{Api, Ended, Observed, Snapshot, UsageRecord};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use store::{Cursor, Store};
use tasks::{Facts, Settings, Tasks};

const LIMIT: Duration = Duration::from_secs(10);

/// The clock of these tests advances by itself at every look, as a real one does.
fn clock() -> Timestamp {
    static NOW: AtomicU64 = AtomicU64::new(1_000_000_000_000);
    Timestamp::from_millis(NOW.fetch_add(1, Ordering::Relaxed))
}

#[derive(Clone, Default)]
struct Gateway(Arc<Mutex<Observed>>);

impl Facts for Gateway {
    async fn observed(&self) -> Result<Observed, String> {
        Ok(self.0.lock().unwrap().clone())
    }
}

struct House {
    folder: tempfile::TempDir,
    store: Store,
    inventory: Inventory,
    gateway: Gateway,
    journal: Arc<AtomicU64>,
}

impl House {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("spool")).unwrap();
        let store = Store::open(&folder.path().join("db")).await.unwrap();
        let inventory = Inventory::open(store.clone(), Default::default(), clock());
        Self {
            inventory: inventory.await.unwrap(),
            store,
            gateway: Gateway::default(),
            journal: Arc::default(),
            folder,
        }
    }

    fn spool(&self) -> PathBuf {
        self.folder.path().join("spool")
    }

    fn file(&self, number: u64) -> PathBuf {
        self.spool().join(format!("usage-{number:020}.jsonl"))
    }

    fn lever(&self) -> PathBuf {
        self.folder.path().join("lever.sock")
    }

    fn start(&self) -> Tasks {
        tasks::start(Settings {
            store: self.store.clone(),
            spool_dir: self.spool(),
            inventory: self.inventory.clone(),
            drill: None,
            lever: Lever::at(self.lever()),
            facts: self.gateway.clone(),
            demo: true,
            clock,
        })
    }

    async fn exchanges(&self) -> u64 {
        let all = self.store.usage_since(Timestamp::default()).await.unwrap();
        all.exchanges
    }

    async fn wait_for_exchanges(&self, wanted: u64) {
        let waiting = async {
            while self.exchanges().await != wanted {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let waited = tokio::time::timeout(LIMIT, waiting).await;
        assert!(waited.is_ok(), "{} of {wanted}", self.exchanges().await);
    }
}

fn line(id: &str) -> String {
    let record = UsageRecord {
        id: id.to_owned(),
        at: clock(),
        consumer: "claw".parse().unwrap(),
        route: "chat".parse().unwrap(),
        target: "ollama".parse().unwrap(),
        class: Class::Local,
        model: "smol".to_owned(),
        stream: true,
        status: 200,
        prompt_tokens: 1,
        completion_tokens: 2,
        estimated: false,
        took_ms: 12,
        ended: Ended::Complete,
        incident: None,
        api: Api::Chat,
        cached_tokens: 0,
        reasoning_tokens: 0,
        cost: None,
        fell_back_from: None,
        first_byte_ms: Some(3),
    };
    serde_json::to_string(&record).unwrap() + "\n"
}

fn append(path: &Path, text: &str) {
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.create(true).append(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

fn state(journal: u64) -> StateReport {
    StateReport {
        now: clock(),
        seq: 1,
        people: 1,
        journal,
        ..StateReport::default()
    }
}

/// Answers like a kill switch with `journal` entries.
fn serve_lever(path: &Path, journal: Arc<AtomicU64>) {
    let listener = UnixListener::bind(path).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut asked = String::new();
            if BufReader::new(&stream).read_line(&mut asked).is_err() {
                continue;
            }
            let request: LeverRequest = serde_json::from_str(&asked).unwrap();
            let reply = if request == LeverRequest::State {
                LeverReply::State(Box::new(state(journal.load(Ordering::Relaxed))))
            } else {
                let incidents = Vec::new();
                LeverReply::Incidents { incidents }
            };
            let text = serde_json::to_string(&reply).unwrap() + "\n";
            drop((&stream).write_all(text.as_bytes()));
        }
    });
}

async fn wait_for(
    snapshots: &mut tokio::sync::watch::Receiver<Arc<Snapshot>>,
    wanted: impl FnMut(&Arc<Snapshot>) -> bool,
) -> Arc<Snapshot> {
    let waited = tokio::time::timeout(LIMIT, snapshots.wait_for(wanted)).await;
    Arc::clone(&waited.unwrap().unwrap())
}

#[tokio::test]
async fn a_line_torn_by_the_writer_is_taken_in_when_it_is_whole() {
    let house = House::new().await;
    let torn = line("a-2");
    append(&house.file(1), &line("a-1"));
    append(&house.file(1), &torn[..30]);
    let tasks = house.start();
    house.wait_for_exchanges(1).await;

    append(&house.file(1), &torn[30..]);

    house.wait_for_exchanges(2).await;
    assert!(house.file(1).exists(), "the newest file stays");
    tasks.stop(LIMIT).await;
}

#[tokio::test]
async fn files_that_were_left_behind_are_removed_once_taken_in() {
    let house = House::new().await;
    let many: String = (0..1200).map(|n| line(&format!("a-{n}"))).collect();
    append(&house.file(1), &many);
    append(&house.file(1), "{\"id\":\"torn for ever");
    append(&house.file(3), "");
    append(&house.file(4), &line("b-1"));
    append(&house.spool().join("notes.txt"), "not ours");
    let tasks = house.start();

    house.wait_for_exchanges(1201).await;

    let waiting = async {
        while house.file(1).exists() || house.file(3).exists() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LIMIT, waiting).await.unwrap();
    assert!(house.file(4).exists() && house.spool().join("notes.txt").exists());
    let length = house.file(4).metadata().unwrap().len();
    let cursor = Cursor {
        file: 4,
        offset: length,
    };
    assert_eq!(house.store.cursor().await.unwrap(), cursor);
    tasks.stop(LIMIT).await;
}

#[tokio::test]
async fn a_crash_after_the_commit_counts_nothing_twice() {
    let house = House::new().await;
    append(&house.file(1), &(line("a-1") + &line("a-2")));
    house.start().stop(LIMIT).await;
    let tasks = house.start();
    house.wait_for_exchanges(2).await;
    tasks.stop(LIMIT).await;
    // As if file 1 had not been removed before the crash although file 2 was begun.
    append(&house.file(2), &line("b-1"));
    house
        .store
        .ingest(&[], &Cursor { file: 2, offset: 0 })
        .await
        .unwrap();

    let tasks = house.start();

    house.wait_for_exchanges(3).await;
    let waiting = async {
        while house.file(1).exists() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LIMIT, waiting).await.unwrap();
    assert_eq!(house.exchanges().await, 3);
    tasks.stop(LIMIT).await;
}

#[tokio::test]
async fn garbled_lines_are_counted_and_do_not_hold_up_the_rest() {
    let house = House::new().await;
    append(
        &house.file(1),
        &format!("{}nonsense\n{}", line("a-1"), line("a-2")),
    );
    let tasks = house.start();
    house.wait_for_exchanges(2).await;

    let waiting = async {
        let counted = |tasks: &Tasks| {
            let all = tasks.status();
            all.iter()
                .any(|status| status.done == "2 taken in, 1 garbled lines")
        };
        while !counted(&tasks) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LIMIT, waiting).await.unwrap();
    tasks.stop(LIMIT).await;
}

#[tokio::test]
async fn the_watch_reports_a_dead_kill_switch_and_sees_it_come_back() {
    let house = House::new().await;
    let tasks = house.start();
    let mut snapshots = tasks.snapshots();

    let dead = wait_for(&mut snapshots, |s| s.gateway.is_ok()).await;
    let why = dead.killswitch.as_ref().unwrap_err();
    assert!(why.contains("lever.sock"), "{why}");
    assert!(dead.demo);

    serve_lever(&house.lever(), house.journal.clone());
    let alive = wait_for(&mut snapshots, |s| s.killswitch.is_ok()).await;
    let warnings = &alive.killswitch.as_ref().unwrap().warnings;
    assert!(warnings[0].contains("refuses everything"), "{warnings:?}");

    let observed = Observed {
        seq: Some(4),
        routes: vec!["chat".parse().unwrap()],
        consumers: vec!["claw".parse().unwrap(), "bot".parse().unwrap()],
        ..Observed::default()
    };
    *house.gateway.0.lock().unwrap() = observed;
    let told = wait_for(&mut snapshots, |s| {
        s.gateway.as_ref().is_ok_and(|g| !g.names.is_empty())
    })
    .await;
    assert_eq!(
        told.gateway.as_ref().unwrap().names,
        ["bot", "chat", "claw"]
    );
    assert!(told.killswitch.as_ref().unwrap().warnings.is_empty());
    tasks.stop(LIMIT).await;
    assert!(
        snapshots.changed().await.is_err(),
        "listeners learn of the end"
    );
}

#[tokio::test]
async fn nothing_is_sent_while_only_the_clock_moves() {
    let house = House::new().await;
    serve_lever(&house.lever(), house.journal.clone());
    let tasks = house.start();
    let mut snapshots = tasks.snapshots();
    wait_for(&mut snapshots, |s| s.killswitch.is_ok()).await;
    let first = clock();

    // Wait until the watch has looked again at least twice, by its own status.
    for _ in 0..2 {
        let from = clock();
        let waiting = async {
            let looked = |t: &Tasks| {
                t.status()
                    .iter()
                    .any(|s| s.name.starts_with("watch") && s.at > from)
            };
            while !looked(&tasks) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(LIMIT, waiting).await.unwrap();
    }
    assert!(snapshots.borrow().at < first);
    assert!(!snapshots.has_changed().unwrap());

    house.journal.store(9, Ordering::Relaxed);
    wait_for(&mut snapshots, |s| {
        s.killswitch.as_ref().is_ok_and(|k| k.journal == 9)
    })
    .await;
    tasks.stop(LIMIT).await;
}
