//! A house with a database of its own, and hosts that report to it.

use inventory::{Inventory, NotNow, Sender, Settings};
use kill_wire::Timestamp;
use net_model::{Dial, HostName, ReportsAnswer};
use store::Store;
use tempfile::TempDir;
use tokio::task::JoinSet;

pub(crate) const START: u64 = 1_795_291_200_000;

pub(crate) struct House {
    pub(crate) store: Store,
    pub(crate) inventory: Inventory,
    _folder: TempDir,
    writer: JoinSet<()>,
}

impl House {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("portcullis.db"))
            .await
            .unwrap();
        let mut house = Self {
            inventory: Inventory::open(store.clone(), Settings::default(), at(0))
                .await
                .unwrap(),
            store,
            _folder: folder,
            writer: JoinSet::new(),
        };
        house.write_on();
        house
    }

    fn write_on(&mut self) {
        let inventory = self.inventory.clone();
        self.writer.spawn(async move {
            loop {
                inventory.waits().await;
                while inventory.write().await.unwrap().more {}
            }
        });
    }

    /// The program stops and starts anew over the same database.
    pub(crate) async fn restart(&mut self, now: u64) {
        self.writer.shutdown().await;
        let opened = Inventory::open(self.store.clone(), Settings::default(), at(now)).await;
        self.inventory = opened.unwrap();
        self.write_on();
    }

    pub(crate) async fn send(
        &self,
        host: &str,
        lines: &[String],
        now: u64,
    ) -> Result<ReportsAnswer, NotNow> {
        let body = lines.join("\n");
        self.inventory
            .reports(&sender(host), body.as_bytes(), at(now))
            .await
    }

    pub(crate) async fn firing(&self, now: u64) -> Vec<String> {
        self.inventory.look(&[], false, at(now));
        self.inventory.keep_alerts().await.unwrap();
        let alerts = self.store.firing_alerts().await.unwrap();
        alerts.into_iter().map(|alert| alert.rule).collect()
    }
}

pub(crate) fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(START + seconds * 1000)
}

pub(crate) fn name(host: &str) -> HostName {
    host.parse().unwrap()
}

pub(crate) fn sender(host: &str) -> Sender {
    Sender {
        host: name(host),
        zone: "red".parse().unwrap(),
        address: "198.18.30.2".parse().unwrap(),
        dial: Dial::In,
        certificate_ends: Some(at(86_400)),
    }
}

/// A report of `seconds` after the start, of the start `boot` of the machine.
pub(crate) fn report(seq: u64, boot: u64, seconds: u64) -> String {
    report_of(seq, boot, seconds, 100_000)
}

pub(crate) fn report_of(seq: u64, boot: u64, seconds: u64, busy: u32) -> String {
    let up = 1_000 + seconds * 1000;
    format!(
        r#"{{"v":1,"seq":{seq},"boot":"{boot:016x}","up_ms":{up},"at_ms":{},"facts":{{"cpu":{{"cores":4,"busy_ppm":{busy},"waiting_ppm":0,"load_1m_milli":10,"load_5m_milli":10}}}}}}"#,
        START + seconds * 1000
    )
}
