//! Writes down what was taken in: many hosts in one transaction, few reports of each.

use crate::alerts::{About, Book, Models, OF_REPORTS, of_report};
use crate::host::Waiting;
use crate::settings::Settings;
use crate::{Inventory, Shared};
use kill_wire::Timestamp;
use net_model::report::Posture;
use net_model::{HostLatest, HostName, HostSeen};
use std::collections::BTreeMap;
use store::{HostPoint, ReportBatch, SeenModel, StoreError};

/// Reports of one host in one writing.
const OF_ONE: usize = 32;

/// What one writing did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Reports that are written down now.
    pub reports: usize,
    /// Whether more wait.
    pub more: bool,
}

impl Inventory {
    /// Waits until there is something to write.
    pub async fn waits(&self) {
        self.waits.notified().await;
    }

    /// Something waits that was not written: [`Inventory::waits`] ends.
    pub fn wake(&self) {
        self.waits.notify_one();
    }

    /// Writes once. Whoever waits for it is told.
    ///
    /// # Errors
    /// When the database does not write; everything waits on, in its order.
    pub async fn write(&self) -> Result<Written, StoreError> {
        let (drawn, more) = self.lock().draw();
        if drawn.is_empty() {
            return Ok(Written::default());
        }
        let (batch, reports) = {
            let mut shared = self.lock();
            let reports = drawn.values().map(Vec::len).sum();
            (shared.batch(&drawn), reports)
        };
        if let Err(error) = self.store.keep_reports(&batch).await {
            self.lock().put_back(drawn);
            return Err(error);
        }
        self.lock().kept(&drawn);
        self.written
            .send_modify(|times| *times = times.wrapping_add(1));
        Ok(Written { reports, more })
    }
}

type Drawn = BTreeMap<HostName, Vec<Waiting>>;

impl Shared {
    /// The oldest of each host; whether more wait.
    fn draw(&mut self) -> (Drawn, bool) {
        let mut drawn = Drawn::new();
        let mut more = false;
        for (name, host) in self
            .hosts
            .iter_mut()
            .filter(|(_, it)| !it.waiting.is_empty())
        {
            let count = host.waiting.len().min(OF_ONE);
            drawn.insert(name.clone(), host.waiting.drain(..count).collect());
            more |= !host.waiting.is_empty();
        }
        (drawn, more)
    }

    fn put_back(&mut self, drawn: Drawn) {
        for (name, waiting) in drawn {
            if let Some(host) = self.hosts.get_mut(&name) {
                for it in waiting.into_iter().rev() {
                    host.waiting.push_front(it);
                }
            }
        }
    }

    fn batch(&mut self, drawn: &Drawn) -> ReportBatch {
        let cut = self.cut;
        let mut batch = ReportBatch::default();
        for (name, waiting) in drawn {
            let points = waiting.iter().map(|it| HostPoint {
                host: name.clone(),
                at: it.measured,
                gauges: it.gauges,
            });
            batch.points.extend(points);
            let (Some(newest), Some(host)) = (waiting.last(), self.hosts.get_mut(name)) else {
                continue;
            };
            let facts = serde_json::to_string(&newest.report.facts).unwrap_or_default();
            let latest = latest(name, newest, host.lost, host.refused);
            batch.latest.push((latest, facts));
            let fresh = host.models.learn(&newest.report.facts, cut, newest.came);
            batch
                .models
                .extend(fresh.into_iter().map(|(digest, model)| SeenModel {
                    host: name.clone(),
                    digest,
                    name: model,
                    since: newest.came,
                }));
        }
        batch
    }

    fn kept(&mut self, drawn: &Drawn) {
        let Self {
            hosts,
            book,
            settings,
            cut,
            ..
        } = self;
        for (name, waiting) in drawn {
            let (Some(newest), Some(host)) = (waiting.last(), hosts.get_mut(name)) else {
                continue;
            };
            host.written = newest.report.seq;
            judge(name, newest, settings, *cut, &host.models, book);
        }
    }
}

fn judge(
    name: &HostName,
    newest: &Waiting,
    settings: &Settings,
    cut: bool,
    models: &Models,
    book: &mut Book,
) {
    let about = About {
        rules: &settings.alerts,
        zone: settings.zone(&newest.from.zone),
        address: newest.from.address,
        now: newest.came,
        cut,
        models,
    };
    let found = of_report(&newest.report, &about);
    book.replace(name, &OF_REPORTS, found, newest.came);
}

fn latest(name: &HostName, newest: &Waiting, lost: u64, refused: u64) -> HostLatest {
    let report = &newest.report;
    let containers = &report.facts.containers;
    let sum = |of: fn(&Posture) -> u16| {
        let all = containers.iter().map(|it| i64::from(of(&it.posture)));
        (!containers.is_empty()).then(|| all.sum())
    };
    HostLatest {
        host: name.clone(),
        seen: HostSeen {
            at: newest.came,
            address: newest.from.address,
            dial: newest.from.dial,
            certificate_ends: newest.from.certificate_ends,
            lost,
            refused,
        },
        seq: report.seq,
        boot: report.boot,
        up_ms: report.up_ms,
        claimed_at: Timestamp::from_millis(report.at_ms),
        gauges: newest.gauges,
        posture_fail: sum(|posture| posture.fail),
        posture_unknown: sum(|posture| posture.unknown),
        version: report
            .facts
            .agent
            .as_ref()
            .map(|agent| agent.version.to_string()),
    }
}
