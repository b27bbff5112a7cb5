//! What the gateway noticed is taken in once and shown; it cuts nothing.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use inventory::Inventory;
use kill_wire::Timestamp;
use killctl::Lever;
use net_model::{Observed, Remark, RemarkKind, Snapshot};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use store::Store;
use tasks::{Facts, Settings};

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

/// A moment ago: what is old enough is cleared away.
fn lately(at: u64) -> Timestamp {
    Timestamp::from_millis(clock().millis() - 1000 + at)
}

fn remark(at: u64, text: &str) -> Remark {
    Remark {
        at: lately(at),
        consumer: Some("claw".parse().unwrap()),
        kind: RemarkKind::Alert,
        text: text.to_owned(),
    }
}

fn leave(spool: &Path, name: &str, remark: &Remark) {
    let text = serde_json::to_vec(remark).unwrap();
    std::fs::write(spool.join("remarks").join(name), text).unwrap();
}

async fn files_gone(spool: &Path) {
    let gone = async {
        while std::fs::read_dir(spool.join("remarks")).unwrap().count() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(LIMIT, gone).await.unwrap();
}

#[tokio::test]
async fn each_remark_is_taken_in_once_and_shown_newest_first() {
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("spool");
    std::fs::create_dir_all(spool.join("remarks")).unwrap();
    leave(&spool, "1-0.json", &remark(1, "first"));
    leave(&spool, "2-1.json", &remark(2, "second \u{1b}[2J"));
    std::fs::write(spool.join("remarks/0-garbled.json"), "{").unwrap();
    let store = Store::open(&folder.path().join("db")).await.unwrap();
    let inventory = Inventory::open(store.clone(), Default::default(), clock());
    let tasks = tasks::start(Settings {
        inventory: inventory.await.unwrap(),
        drill: None,
        store: store.clone(),
        spool_dir: spool.clone(),
        lever: Lever::at(folder.path().join("nobody.sock")),
        facts: Idle,
        demo: true,
        clock,
    });
    files_gone(&spool).await;
    // As after a crash between keeping it and removing its file.
    leave(&spool, "1-0.json", &remark(1, "first"));
    files_gone(&spool).await;

    let mut snapshots = tasks.snapshots();
    let shown = snapshots.wait_for(|seen: &Arc<Snapshot>| seen.remarks.len() == 2);
    let shown = tokio::time::timeout(LIMIT, shown).await.unwrap().unwrap();
    let texts: Vec<String> = shown.remarks.iter().map(|it| it.text.clone()).collect();
    drop(shown);
    assert_eq!(texts, ["second \u{fffd}[2J", "first"]);
    tasks.stop(LIMIT).await;
    assert_eq!(store.purge_remarks(lately(2)).await.unwrap(), 1);
    assert_eq!(store.remarks(9).await.unwrap().len(), 1);
}
