//! What runs by the clock: adding up history, clearing what is old, certificates, probes, drills. One at a time, each with
//! a time limit; how it went is kept in the database, so that a run missed while nothing ran is made up for at the start.
//!
//! **A drill cannot order.** It asks the kill switch for its own drill, and nothing here knows a word that cuts.

use crate::schedule::Schedule;
use crate::settings::Settings;
use crate::status::{Bell, Board, chain};
use inventory::{Inventory, Rule};
use kill_wire::{LeverReply, LeverRequest, Timestamp};
use killctl::Lever;
use net_model::report::Facts;
use net_model::{CanaryVerdict, JobView};
use std::time::Duration;
use store::{HostState, Store, StoreError};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

pub(crate) const NAME: &str = "run jobs";

/// How long one run may take.
const LIMIT: Duration = Duration::from_secs(120);
/// How long the kill switch may take for a drill.
const DRILL: Duration = Duration::from_secs(60);
/// How long alerts that are over are kept.
const ALERTS: Duration = Duration::from_hours(90 * 24);
/// A certificate this near its end is counted.
const NEAR: Duration = Duration::from_hours(12);
/// What a canary found longer ago counts as not probed.
const STALE: Duration = Duration::from_hours(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Work {
    AddUp,
    Clear,
    Certificates,
    Sweep,
    Drill,
}

struct Planned {
    work: Work,
    name: &'static str,
    cron: String,
}

pub(crate) struct Jobs {
    store: Store,
    inventory: Inventory,
    lever: Lever,
    clock: fn() -> Timestamp,
    board: Board,
    planned: Vec<Planned>,
    bell: mpsc::Sender<usize>,
    rings: mpsc::Receiver<usize>,
}

impl Jobs {
    pub(crate) fn new<F>(settings: &Settings<F>, board: Board) -> Self {
        let plan = |work, name, cron: &str| Planned {
            work,
            name,
            cron: cron.to_owned(),
        };
        let mut planned = vec![
            plan(Work::AddUp, "add up history of hosts", "5 * * * * *"),
            plan(Work::Clear, "clear old history and alerts", "20 7 * * * *"),
            plan(
                Work::Certificates,
                "look at certificates of hosts",
                "40 */10 * * * *",
            ),
            plan(Work::Sweep, "sweep probes of hosts", "30 */5 * * * *"),
        ];
        let drill = settings.drill.as_deref();
        planned.extend(drill.map(|cron| plan(Work::Drill, "drill", cron)));
        let (bell, rings) = mpsc::channel(16);
        let names = planned.iter().map(|job| job.name).collect();
        board.put_bell(Bell::new(names, bell.clone()));
        Self {
            store: settings.store.clone(),
            inventory: settings.inventory.clone(),
            lever: settings.lever.clone(),
            clock: settings.clock,
            board,
            planned,
            bell,
            rings,
        }
    }

    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let bell = self.bell.clone();
        let crons: Vec<String> = self.planned.iter().map(|job| job.cron.clone()).collect();
        let (mut schedule, known) = match Schedule::start(crons, &bell).await {
            Ok(started) => started,
            Err(error) => {
                tracing::error!(%error, "No job will run by the clock.");
                self.board
                    .put_job(self.view(NAME, "by the clock", Some(chain(&error))));
                return;
            }
        };
        self.at_the_start(&bell).await;
        while let Some(Some(number)) = stop.run_until_cancelled(self.rings.recv()).await {
            let Some(job) = self.planned.get(number) else {
                continue;
            };
            let begun = Instant::now();
            let went = stop
                .run_until_cancelled(timeout(LIMIT, self.work(job.work)))
                .await;
            let (done, problem) = match went {
                None => break,
                Some(Ok(Ok(done))) => (done, None),
                Some(Ok(Err(why))) => (String::new(), Some(why)),
                Some(Err(_)) => (String::new(), Some(format!("it took more than {LIMIT:?}"))),
            };
            let mut view = self.view(job.name, &job.cron, problem);
            view.done = done;
            view.took_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
            if let Some((_, id)) = known.iter().find(|(of, _)| *of == number) {
                view.next = schedule.next(*id).await;
            }
            if let Err(error) = self.store.keep_job(&view).await {
                view.problem.get_or_insert_with(|| chain(&error));
            }
            self.board.put_job(view);
        }
        schedule.stop().await;
    }

    /// Shows how jobs went before, and makes up for those that were due while nothing ran. A drill waits for its time.
    async fn at_the_start(&self, bell: &mpsc::Sender<usize>) {
        let before = self.store.jobs().await.unwrap_or_default();
        let now = (self.clock)();
        for (number, job) in self.planned.iter().enumerate() {
            let known = before.iter().find(|it| it.name == job.name);
            let mut view = self.view(job.name, &job.cron, None);
            view.last = None;
            if let Some(known) = known {
                view.last = known.last;
                view.took_ms = known.took_ms;
                view.done.clone_from(&known.done);
                view.problem.clone_from(&known.problem);
            }
            self.board.put_job(view);
            let missed = known.and_then(|it| it.next).is_none_or(|next| next <= now);
            if missed && job.work != Work::Drill {
                // There is room for all of them.
                let _rung = bell.try_send(number);
            }
        }
    }

    fn view(&self, name: &str, cron: &str, problem: Option<String>) -> JobView {
        JobView {
            name: name.to_owned(),
            schedule: cron.to_owned(),
            last: Some((self.clock)()),
            took_ms: 0,
            done: String::new(),
            problem,
            next: None,
        }
    }

    async fn work(&self, work: Work) -> Result<String, String> {
        let now = (self.clock)();
        let done = match work {
            Work::AddUp => {
                let folded = self.store.fold_reports().await;
                folded.map(|reports| format!("{reports} reports added up"))
            }
            Work::Clear => self.clear(now).await,
            Work::Certificates => self.certificates(now).await,
            Work::Sweep => self.sweep().await,
            Work::Drill => return self.drill().await,
        };
        done.map_err(|error| chain(&error))
    }

    async fn clear(&self, now: Timestamp) -> Result<String, StoreError> {
        // What is in no mean yet would be kept for ever.
        self.store.fold_reports().await?;
        let points = self.store.purge_history(now).await?;
        let kept = u64::try_from(ALERTS.as_millis()).unwrap_or(u64::MAX);
        let before = Timestamp::from_millis(now.millis().saturating_sub(kept));
        let alerts = self.store.purge_alerts(before).await?;
        Ok(format!("{points} points and {alerts} alerts removed"))
    }

    /// Counts them; the rule `certificate` tells of each.
    async fn certificates(&self, now: Timestamp) -> Result<String, StoreError> {
        let hosts = self.store.hosts().await?;
        let joined = hosts.iter().filter(|host| host.state == HostState::Joined);
        let ends: Vec<Timestamp> = joined
            .filter_map(|host| host.certificate.as_ref())
            .map(|certificate| certificate.not_after)
            .collect();
        let near = u64::try_from(NEAR.as_millis()).unwrap_or(u64::MAX);
        let soon = ends.iter().filter(|ends| ends.since(now) < near).count();
        let over = ends.iter().filter(|ends| **ends <= now).count();
        Ok(format!(
            "{} certificates: {soon} end within 12 h, {over} have ended",
            ends.len()
        ))
    }

    /// Goes over what every host's canaries found last: what was not probed for an hour proves nothing, and says so.
    async fn sweep(&self) -> Result<String, StoreError> {
        let now = (self.clock)();
        let (mut holds, mut breaches, mut unknown) = (0_usize, 0_usize, 0_usize);
        let stale = u64::try_from(STALE.as_millis()).unwrap_or(u64::MAX);
        for (host, at, facts) in self.store.host_facts().await? {
            let facts: Facts = serde_json::from_str(&facts).unwrap_or_default();
            let mut old = 0;
            for canary in &facts.canary {
                let age = now.since(at).saturating_add(canary.age_ms);
                match canary.verdict() {
                    _ if age > stale => old += 1,
                    CanaryVerdict::Holds => holds += 1,
                    CanaryVerdict::Breach | CanaryVerdict::Missing => breaches += 1,
                    CanaryVerdict::Unknown => unknown += 1,
                }
            }
            unknown += old;
            let text = (old > 0).then(|| format!("{old} of its probes were not made for an hour"));
            self.inventory
                .raise(Rule::Stale, Some(&host), "", text, now);
        }
        Ok(format!(
            "{holds} probes found what they should, {breaches} did not, {unknown} say nothing"
        ))
    }

    async fn drill(&self) -> Result<String, String> {
        let lever = self.lever.clone();
        let by = "schedule".to_owned();
        let asked =
            tokio::task::spawn_blocking(move || lever.ask(&LeverRequest::Drill { by }, DRILL));
        match asked.await.map_err(|error| chain(&error))? {
            Ok(LeverReply::Drilled { drill }) if drill.failed.is_empty() => Ok(format!(
                "{} of {} channels, {} of {} agents, {} of {} probes",
                drill.channels.0,
                drill.channels.1,
                drill.agents.0,
                drill.agents.1,
                drill.probes.0,
                drill.probes.1
            )),
            Ok(LeverReply::Drilled { drill }) => Err(drill.failed.join("; ")),
            Ok(_) => Err("the kill switch answered something that was not asked for".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }
}
