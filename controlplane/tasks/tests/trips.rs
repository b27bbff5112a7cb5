//! What the gateway closed by itself is latched: against a lever double that remembers what it was asked.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use inventory::Inventory;
use kill_wire::{
    CutReport, ErrorCode, Incident, LeverError, LeverReply, LeverRequest, Outcome, ProofState,
    StateReport, Timestamp,
};
use killctl::Lever;
use net_model::{Observed, Trip, TripKind, cause};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use store::Store;
use tasks::{Facts, Settings, Tasks};

const LIMIT: Duration = Duration::from_secs(10);

fn clock() -> Timestamp {
    Timestamp::from_millis(1_000_000_000_000)
}

struct Idle;

impl Facts for Idle {
    async fn observed(&self) -> Result<Observed, String> {
        Ok(Observed::default())
    }
}

/// What was cut, by whom and why, and whether cuts are done.
#[derive(Default)]
struct Asked {
    cuts: Vec<(String, String, String)>,
    restores: usize,
    refuses: bool,
}

fn serve_lever(path: &Path, asked: Arc<Mutex<Asked>>) {
    let listener = UnixListener::bind(path).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut line = String::new();
            if BufReader::new(&stream).read_line(&mut line).is_err() {
                continue;
            }
            let reply = answer(
                &serde_json::from_str(&line).unwrap(),
                &mut asked.lock().unwrap(),
            );
            let text = serde_json::to_string(&reply).unwrap() + "\n";
            drop((&stream).write_all(text.as_bytes()));
        }
    });
}

fn answer(request: &LeverRequest, asked: &mut Asked) -> LeverReply {
    match request {
        LeverRequest::Cut { scope, by, why } => {
            asked
                .cuts
                .push((scope.to_string(), by.clone(), why.clone()));
            if asked.refuses {
                return LeverReply::Refused(LeverError {
                    code: ErrorCode::Unavailable,
                    message: "not now".to_owned(),
                });
            }
            LeverReply::Cut(CutReport {
                scope: scope.clone(),
                incident: Incident::FIRST,
                outcome: Outcome::Cut,
                at: clock(),
                severed_ms: 1,
                proven_ms: 2,
                streams: 0,
                proof: ProofState::default(),
                recorded: true,
                repeated: false,
                by: by.clone(),
                text: String::new(),
            })
        }
        LeverRequest::Restore { .. } => {
            asked.restores += 1;
            LeverReply::Unlocked
        }
        LeverRequest::State => LeverReply::State(Box::<StateReport>::default()),
        LeverRequest::Incidents { .. }
        | LeverRequest::Reload
        | LeverRequest::Vouch { .. }
        | LeverRequest::Unlock
        | LeverRequest::Drill { .. }
        | LeverRequest::Tell { .. }
        | LeverRequest::CheckIn { .. } => LeverReply::Incidents {
            incidents: Vec::new(),
        },
    }
}

struct House {
    folder: tempfile::TempDir,
    asked: Arc<Mutex<Asked>>,
}

impl House {
    async fn start(refuses: bool) -> (Self, Tasks) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("spool/trips")).unwrap();
        let asked = Arc::new(Mutex::new(Asked {
            refuses,
            ..Asked::default()
        }));
        let socket = folder.path().join("lever.sock");
        serve_lever(&socket, Arc::clone(&asked));
        let store = Store::open(&folder.path().join("db")).await.unwrap();
        let inventory = Inventory::open(store.clone(), Default::default(), clock());
        let tasks = tasks::start(Settings {
            inventory: inventory.await.unwrap(),
            drill: None,
            store,
            spool_dir: folder.path().join("spool"),
            lever: Lever::at(socket),
            facts: Idle,
            demo: true,
            clock,
        });
        (Self { folder, asked }, tasks)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join("spool/trips").join(name)
    }

    fn trip(&self, name: &str, scope: &str, why: &str) {
        let trip = Trip {
            at: clock(),
            consumer: None,
            scope: scope.parse().unwrap(),
            kind: TripKind::Budget,
            cause: cause(why),
        };
        std::fs::write(self.file(name), serde_json::to_vec(&trip).unwrap()).unwrap();
    }

    async fn until(&self, what: &str, holds: impl Fn(&Asked) -> bool) {
        let waiting = async {
            while !holds(&self.asked.lock().unwrap()) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let waited = tokio::time::timeout(LIMIT, waiting).await;
        assert!(waited.is_ok(), "{what} did not come in time");
    }
}

#[tokio::test]
async fn a_trip_is_cut_with_its_figures_and_its_file_goes() {
    let (house, tasks) = House::start(false).await;
    house.trip(".2-llm.json.new", "llm", "half written");
    house.trip(
        "1-claw.json",
        "claw",
        "budget claw-day is gone: 2.53 of 2.50 USD",
    );
    house.until("the cut", |asked| !asked.cuts.is_empty()).await;
    let gone = async {
        while house.file("1-claw.json").exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(LIMIT, gone).await.unwrap();
    tasks.stop(LIMIT).await;
    let asked = house.asked.lock().unwrap();
    let wanted = (
        "claw",
        "the gateway",
        "budget claw-day is gone: 2.53 of 2.50 USD",
    );
    let (scope, by, why) = asked.cuts.first().unwrap();
    assert_eq!((scope.as_str(), by.as_str(), why.as_str()), wanted);
    assert_eq!((asked.cuts.len(), asked.restores), (1, 0));
}

#[tokio::test]
async fn a_kill_switch_that_cannot_cut_is_asked_again_and_a_garbled_trip_holds_up_no_other() {
    let (house, tasks) = House::start(true).await;
    std::fs::write(house.file("0-garbled.json"), "{\"at\":").unwrap();
    house.trip("1-claw.json", "claw", "too much");
    house
        .until("a second try", |asked| asked.cuts.len() >= 2)
        .await;
    assert!(house.file("1-claw.json").exists());
    let latching = |status: &tasks::TaskStatus| status.name == "latch trips";
    let status = tasks.status().into_iter().find(latching).unwrap();
    let problem = status.problem.unwrap();
    assert!(
        problem.contains("claw tripped (too much) and is not latched"),
        "{problem}"
    );
    house.asked.lock().unwrap().refuses = false;
    let gone = async {
        while house.file("1-claw.json").exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(LIMIT, gone).await.unwrap();
    assert!(
        house.file("0-garbled.json").exists(),
        "somebody must look at it"
    );
    tasks.stop(LIMIT).await;
}
