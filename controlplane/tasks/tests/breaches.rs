//! A zone is cut for what its hosts reached: against a lever double that remembers what it was asked.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use inventory::{Inventory, Sender, Taken};
use kill_wire::{
    CutReport, ErrorCode, Incident, LeverError, LeverReply, LeverRequest, Outcome, ProofState,
    StateReport, Timestamp,
};
use killctl::Lever;
use net_model::{Dial, Observed, OnBreach, OnSilence, Tier, Zone};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use store::Store;
use tasks::{Facts, Settings};

const LIMIT: Duration = Duration::from_secs(10);
const NOW: Timestamp = Timestamp::from_millis(1_000_000_000_000);

struct Idle;

impl Facts for Idle {
    async fn observed(&self) -> Result<Observed, String> {
        Ok(Observed::default())
    }
}

/// Refuses the first cut, so that it must be asked for again.
fn serve_lever(path: &Path, cuts: Arc<Mutex<Vec<String>>>) {
    let listener = UnixListener::bind(path).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut line = String::new();
            if BufReader::new(&stream).read_line(&mut line).is_err() {
                continue;
            }
            let request = serde_json::from_str(&line).unwrap();
            let reply = answer(&request, &mut cuts.lock().unwrap());
            let text = serde_json::to_string(&reply).unwrap() + "\n";
            drop((&stream).write_all(text.as_bytes()));
        }
    });
}

fn answer(request: &LeverRequest, cuts: &mut Vec<String>) -> LeverReply {
    let LeverRequest::Cut { scope, by, why } = request else {
        return LeverReply::State(Box::<StateReport>::default());
    };
    cuts.push(format!("{scope} by {by}: {why}"));
    if cuts.len() == 1 {
        let code = ErrorCode::Unavailable;
        let message = "not now".to_owned();
        return LeverReply::Refused(LeverError { code, message });
    }
    LeverReply::Cut(CutReport {
        scope: scope.clone(),
        incident: Incident::FIRST,
        outcome: Outcome::Cut,
        at: NOW,
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

fn red() -> Zone {
    Zone {
        name: "red".parse().unwrap(),
        tier: Tier::Contained,
        vlan: None,
        nets: Vec::new(),
        on_silence: OnSilence::Cut,
        must: Vec::new(),
        must_not: Vec::new(),
        on_breach: OnBreach::Cut,
    }
}

fn report(seq: u64) -> String {
    format!(
        r#"{{"v":1,"seq":{seq},"boot":"00000000000000aa","up_ms":{seq}0000,"at_ms":1000000000000,"facts":{{"canary":[{{"target":"tcp://198.18.10.5:445","must":false,"found":"open","agreed":{seq},"age_ms":0}}]}}}}"#
    )
}

#[tokio::test]
async fn a_zone_is_cut_once_and_asked_for_until_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("db")).await.unwrap();
    let settings = inventory::Settings {
        zones: Arc::new([red()]),
        ..inventory::Settings::default()
    };
    let inventory = Inventory::open(store.clone(), settings, NOW).await.unwrap();
    let cuts: Arc<Mutex<Vec<String>>> = Arc::default();
    let socket = folder.path().join("lever.sock");
    serve_lever(&socket, Arc::clone(&cuts));
    let tasks = tasks::start(Settings {
        store,
        spool_dir: folder.path().join("spool"),
        inventory: inventory.clone(),
        drill: None,
        lever: Lever::at(socket),
        facts: Idle,
        demo: true,
        clock: || NOW,
    });
    let from = Sender {
        host: "claw1".parse().unwrap(),
        zone: "red".parse().unwrap(),
        address: "198.18.30.2".parse().unwrap(),
        dial: Dial::In,
        certificate_ends: None,
    };
    for seq in 1..=3 {
        let now = NOW.plus_millis(seq * 10_000);
        let taken = inventory.take(&from, report(seq).as_bytes(), now);
        assert_eq!(taken, Taken::Kept { seq });
    }
    let cut = async {
        while cuts.lock().unwrap().len() < 2 || !inventory.breaches().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(tokio::time::timeout(LIMIT, cut).await.is_ok(), "no cut");
    tasks.stop(LIMIT).await;
    let cuts = cuts.lock().unwrap();
    let wanted = "red by isolation canary: claw1 reached tcp://198.18.10.5:445, which it must not";
    assert_eq!(cuts.as_slice(), [wanted, wanted]);
}
