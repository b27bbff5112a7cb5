//! What the house's hosts say of themselves, beside what is seen of them.
//!
//! **A host speaks for itself alone.** Whose report it is, the connection says; no report has a field for it. What a
//! host claims is stored as claimed and never mixed with what was observed. Each host has a queue and a pace of its own,
//! and each writing takes few reports of each, so that one that floods delays nobody.
//!
//! What is absent: anything a cut waits for. A control plane that is gone loses no report (they stay in the agents'
//! buffers) and opens nothing.

mod alerts;
mod breaches;
mod gauges;
mod host;
mod pace;
mod sender;
mod sequence;
mod settings;
mod views;
mod write;

pub use alerts::{AlertRules, Rule, RuleSettings, time_zone};
pub use breaches::Breach;
pub use sender::{NotNow, Sender, Taken};
pub use settings::{Expected, Settings};
pub use views::{Pair, pairs};
pub use write::Written;

use alerts::{Book, Key};
use breaches::{Breaches, reached};
use host::Host;
use kill_wire::Timestamp;
use net_model::report::{MAX_REPORT_BYTES, MAX_WHOLE, Report};
use net_model::{AlertView, HostName, RefusedReport, ReportsAnswer, Zone, ZoneName};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use store::{Store, StoreError};
use tokio::sync::{Notify, watch};

/// Lines of one batch that are looked at.
const LINES: usize = 256;
/// Refusals that are answered one by one.
const REFUSALS: usize = 32;
/// How long a batch may wait until it is written down.
const WRITTEN: Duration = Duration::from_secs(5);
/// After how long whoever sent too much, or could not be written down, comes again.
const AGAIN: Duration = Duration::from_secs(5);

/// The hosts of the house. Clones are the same inventory.
#[derive(Clone, Debug)]
pub struct Inventory {
    store: Store,
    shared: Arc<Mutex<Shared>>,
    /// Something waits to be written.
    waits: Arc<Notify>,
    /// Counts writings.
    written: watch::Sender<u64>,
}

#[derive(Debug)]
struct Shared {
    settings: Settings,
    hosts: BTreeMap<HostName, Host>,
    book: Book,
    breaches: Breaches,
    /// Whether model calls are cut.
    cut: bool,
    started: Timestamp,
}

impl Inventory {
    /// Goes on where the database stands.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn open(
        store: Store,
        settings: Settings,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let marks = store.report_marks().await?.into_iter();
        let mut hosts: BTreeMap<HostName, Host> = marks
            .map(|mark| (mark.host.clone(), Host::from_mark(mark, now)))
            .collect();
        for model in store.host_models().await? {
            if let Some(host) = hosts.get_mut(&model.host) {
                host.models.remember(model.digest, model.name, model.since);
            }
        }
        let book = Book::open(store.firing_alerts().await?, store.last_alert().await?);
        let shared = Shared {
            settings,
            hosts,
            book,
            breaches: Breaches::default(),
            cut: false,
            started: now,
        };
        Ok(Self {
            store,
            shared: Arc::new(Mutex::new(shared)),
            waits: Arc::new(Notify::new()),
            written: watch::Sender::new(0),
        })
    }

    /// Other zones, other rules: from the next report on.
    pub fn set(&self, settings: Settings) {
        self.lock().settings = settings;
    }

    /// The zones of the house.
    #[must_use]
    pub fn zones(&self) -> Arc<[Zone]> {
        Arc::clone(&self.lock().settings.zones)
    }

    /// Takes one line of a host in. Nothing waits here: neither for the database nor for another host.
    pub fn take(&self, from: &Sender, line: &[u8], now: Timestamp) -> Taken {
        if !self.lock().of(from, now).pace.admits(now) {
            return Taken::Later;
        }
        let report = match Report::parse(line) {
            Ok(report) => report,
            Err(error) => {
                let seq = number_of(line);
                let why = error.to_string();
                self.lock().of(from, now).garbage(now);
                return Taken::Refused(RefusedReport { seq, why });
            }
        };
        let mut shared = self.lock();
        let reached = reached(from, &report);
        let host = shared.of(from, now);
        let seq = report.seq;
        let taken = host.take(from, report, line, now);
        if let Err(wrong) = taken {
            let why = wrong.to_string();
            if let Some((rule, text)) = host::alarming(wrong) {
                let key = Key {
                    host: Some(from.host.clone()),
                    rule,
                    subject: String::new(),
                };
                if shared.settings.alerts.of(rule).on {
                    shared.book.set(key, Some(text.to_owned()), now);
                }
            }
            let seq = Some(seq);
            return Taken::Refused(RefusedReport { seq, why });
        }
        if let Ok(host::Entry::Kept) = taken {
            let Shared {
                breaches, settings, ..
            } = &mut *shared;
            breaches.take(from, reached, &settings.zones);
        }
        drop(shared);
        self.waits.notify_one();
        match taken {
            Ok(host::Entry::Kept) => Taken::Kept { seq },
            Ok(host::Entry::Known) => Taken::Known { seq },
            Ok(host::Entry::Full) | Err(_) => Taken::Later,
        }
    }

    /// Takes a batch of a host in, a report a line, and waits until it is written down.
    ///
    /// # Errors
    /// When nothing of it could be taken now: the host sent too much, or the database does not write.
    pub async fn reports(
        &self,
        from: &Sender,
        body: &[u8],
        now: Timestamp,
    ) -> Result<ReportsAnswer, NotNow> {
        let mut written = self.written.subscribe();
        let mut answer = ReportsAnswer::default();
        let mut wanted = 0;
        let mut handled = false;
        let lines = body.split(|byte| *byte == b'\n');
        for line in lines
            .filter(|line| !line.trim_ascii().is_empty())
            .take(LINES)
        {
            let through = match self.take(from, line, now) {
                Taken::Kept { seq } | Taken::Known { seq } => {
                    wanted = seq.max(wanted);
                    seq
                }
                Taken::Refused(refusal) => {
                    let seq = refusal.seq.unwrap_or_default();
                    if answer.refused.len() < REFUSALS {
                        answer.refused.push(refusal);
                    }
                    seq
                }
                Taken::Later if handled => break,
                Taken::Later => return Err(NotNow { retry_after: AGAIN }),
            };
            handled = true;
            answer.through = answer.through.max(through);
        }
        let there = async {
            while self.through(&from.host) < wanted {
                if written.changed().await.is_err() {
                    break;
                }
            }
        };
        match tokio::time::timeout(WRITTEN, there).await {
            Ok(()) => Ok(answer),
            Err(_) => Err(NotNow { retry_after: AGAIN }),
        }
    }

    /// Number of the newest report of a host that is written down; 0 when there is none.
    #[must_use]
    pub fn through(&self, host: &HostName) -> u64 {
        self.lock().hosts.get(host).map_or(0, |host| host.written)
    }

    /// The host has left, or begins anew: its reports may start at 1 again.
    pub fn forget(&self, host: &HostName, now: Timestamp) {
        let mut shared = self.lock();
        shared.hosts.remove(host);
        shared.book.forget(host, now);
    }

    /// Something that others find is wrong now, in these words, or is over.
    pub fn raise(
        &self,
        rule: Rule,
        host: Option<&HostName>,
        subject: &str,
        text: Option<String>,
        now: Timestamp,
    ) {
        let mut shared = self.lock();
        let on = shared.settings.alerts.of(rule).on;
        let key = Key {
            host: host.cloned(),
            rule,
            subject: net_model::cause(subject),
        };
        let text = text.filter(|_| on).map(|text| net_model::cause(&text));
        shared.book.set(key, text, now);
    }

    /// Hosts in zones that are to be cut for what they reached, and are not yet.
    #[must_use]
    pub fn breaches(&self) -> Vec<Breach> {
        self.lock().breaches.open()
    }

    /// The zone was cut for what its hosts reached.
    pub fn breach_cut(&self, zone: &ZoneName) {
        self.lock().breaches.cut(zone);
    }

    /// Looks at what no report tells: silence, certificates, a cut. Gives the alerts that people should be told of now.
    pub fn look(&self, expected: &[Expected], cut: bool, now: Timestamp) -> Vec<AlertView> {
        let mut shared = self.lock();
        shared.cut = cut;
        shared.look(expected, now);
        let Shared { book, settings, .. } = &mut *shared;
        book.due(&settings.alerts, now)
    }

    /// People were told of these alerts, in one text.
    pub fn told(&self, ids: &[u64], now: Timestamp) {
        self.lock().book.told(ids, now);
    }

    /// Writes down what has changed about alerts; says how many fire.
    ///
    /// # Errors
    /// When the database does not write; it is tried again the next time.
    pub async fn keep_alerts(&self) -> Result<usize, StoreError> {
        let changed = self.lock().book.changed();
        if !changed.is_empty()
            && let Err(error) = self.store.keep_alerts(&changed).await
        {
            self.lock().book.not_kept(changed);
            return Err(error);
        }
        Ok(self.lock().book.firing())
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    /// The host of a connection; a new one when it is its first.
    fn of(&mut self, from: &Sender, now: Timestamp) -> &mut Host {
        let host = self.hosts.entry(from.host.clone());
        host.or_insert_with(|| Host::new(now))
    }

    fn look(&mut self, expected: &[Expected], now: Timestamp) {
        let silent = self.settings.alerts.of(Rule::Silent);
        let certificate = self.settings.alerts.of(Rule::Certificate);
        for it in expected {
            let host = self.hosts.get(&it.host);
            let heard = host.and_then(|host| host.heard);
            let since = heard.unwrap_or(it.joined).max(self.started.min(now));
            let for_s = now.since(since) / 1000;
            let text = (silent.on && for_s >= silent.above.unsigned_abs())
                .then(|| format!("nothing was heard of it for {}", spoken(for_s)));
            let key = |rule| Key {
                host: Some(it.host.clone()),
                rule,
                subject: String::new(),
            };
            self.book.set(key(Rule::Silent), text, now);
            let hours = it.certificate_ends.map(|ends| ends.since(now) / 3_600_000);
            let near = hours.filter(|left| *left < certificate.above.unsigned_abs());
            let text = near.filter(|_| certificate.on).map(|left| {
                format!(
                    "its certificate ends in less than {} h and was not renewed",
                    left + 1
                )
            });
            self.book.set(key(Rule::Certificate), text, now);
        }
        let over: Vec<(HostName, Rule)> = self
            .hosts
            .iter_mut()
            .flat_map(|(name, host)| host.calm(now).map(|rule| (name.clone(), rule)))
            .collect();
        for (host, rule) in over {
            let key = Key {
                host: Some(host),
                rule,
                subject: String::new(),
            };
            self.book.set(key, None, now);
        }
        let garbled = self.hosts.iter().filter(|(_, host)| host.garbles(now));
        let garbled: Vec<_> = garbled
            .map(|(name, host)| (name.clone(), host.refused))
            .collect();
        for (host, refused) in garbled {
            let key = Key {
                host: Some(host),
                rule: Rule::Refused,
                subject: String::new(),
            };
            let on = self.settings.alerts.of(Rule::Refused).on;
            let text = on.then(|| format!("{refused} of its reports were refused"));
            self.book.set(key, text, now);
        }
    }
}

/// `40 s`, `3 min`, `2 h`, `5 days`.
fn spoken(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// The number of a line that is no report, if it tells one.
fn number_of(line: &[u8]) -> Option<u64> {
    #[derive(Deserialize)]
    struct Numbered {
        seq: u64,
    }
    let line = line.get(..MAX_REPORT_BYTES).unwrap_or(line);
    let numbered: Numbered = serde_json::from_slice(line).ok()?;
    Some(numbered.seq).filter(|seq| *seq <= MAX_WHOLE)
}
