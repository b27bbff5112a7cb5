//! Looks at the house twice a second and tells whoever listens what changed.

use crate::settings::{Facts, Settings};
use crate::status::{Board, TaskStatus, chain};
use crate::wake::Wake;
use kill_wire::{IncidentRecord, LeverError, LeverReply, LeverRequest, StateReport, Timestamp};
use killctl::Lever;
use net_model::{
    BudgetView, FallbackView, GatewayFacts, Observed, Remark, Snapshot, Trip, UsageTotals,
};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use store::{Store, StoreError};
use tokio::sync::watch as channel;
use tokio_util::sync::CancellationToken;

pub(crate) const NAME: &str = "watch the house";

const EVERY: Duration = Duration::from_millis(500);

/// How long one question to the kill switch may take.
const LEVER_LIMIT: Duration = Duration::from_millis(400);

/// How long the gateway's answer may take; its driver has a limit of its own.
const FACTS_LIMIT: Duration = Duration::from_millis(1500);

/// Incidents on the first page.
const INCIDENTS: u32 = 20;
/// Remarks, and pairs of targets, on the first page.
const FEED: u32 = 12;

pub(crate) struct Watch<F> {
    settings: Settings<F>,
    sender: channel::Sender<Arc<Snapshot>>,
    board: Board,
    sent: u64,
}

/// The snapshot before the first look.
pub(crate) fn unread<F>(settings: &Settings<F>) -> Snapshot {
    Snapshot {
        at: (settings.clock)(),
        killswitch: Err("the kill switch was not asked yet".to_owned()),
        incidents: Vec::new(),
        gateway: Err("the gateway was not asked yet".to_owned()),
        last_hour: UsageTotals::default(),
        minutes: vec![0; 60],
        remarks: Vec::new(),
        fallbacks: Vec::new(),
        demo: settings.demo,
    }
}

impl<F: Facts> Watch<F> {
    pub(crate) fn new(
        settings: Settings<F>,
        sender: channel::Sender<Arc<Snapshot>>,
        board: Board,
    ) -> Self {
        Self {
            settings,
            sender,
            board,
            sent: 0,
        }
    }

    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let mut wake = Wake::every(EVERY, &stop);
        while wake.comes().await {
            let Some(problem) = stop.run_until_cancelled(self.look()).await else {
                break;
            };
            self.board.put(TaskStatus {
                name: NAME,
                schedule: "twice a second",
                at: (self.settings.clock)(),
                done: format!("{} changes seen", self.sent),
                problem,
            });
        }
    }

    /// One look; returns what could not be read from the database. The other parts say so in the snapshot.
    async fn look(&mut self) -> Option<String> {
        let settings = &self.settings;
        let now = (settings.clock)();
        let (killswitch, gateway, usage) = tokio::join!(
            ask_killswitch(settings.lever.clone()),
            ask_gateway(&settings.facts),
            ask_store(&settings.store, now),
        );
        let (incidents, killswitch) = match killswitch {
            Ok((state, incidents)) => (incidents, Ok(state)),
            Err(why) => (Vec::new(), Err(why)),
        };
        let (known, problem) = match usage {
            Ok(known) => (known, None),
            Err(error) => (Known::of(&self.sender.borrow()), Some(chain(&error))),
        };
        let mut snapshot = Snapshot {
            at: now,
            killswitch,
            incidents,
            gateway: gateway.as_ref().map(facts).map_err(Clone::clone),
            last_hour: known.last_hour,
            minutes: known.minutes,
            remarks: known.remarks,
            fallbacks: known.fallbacks,
            demo: settings.demo,
        };
        warn(&mut snapshot, gateway.ok().as_ref(), &self.board.problems());
        let sent = self.sender.send_if_modified(|before| {
            let changed = !same(before, &snapshot);
            if changed {
                *before = Arc::new(snapshot);
            }
            changed
        });
        self.sent += u64::from(sent);
        problem
    }
}

type Killswitch = (StateReport, Vec<IncidentRecord>);

async fn ask_killswitch(lever: Lever) -> Result<Killswitch, String> {
    const OTHER: &str = "the kill switch answered something that was not asked for";
    let asked = tokio::task::spawn_blocking(move || {
        let LeverReply::State(state) = lever.ask(&LeverRequest::State, LEVER_LIMIT)? else {
            return Ok(Err(OTHER.to_owned()));
        };
        let question = LeverRequest::Incidents { limit: INCIDENTS };
        let LeverReply::Incidents { incidents } = lever.ask(&question, LEVER_LIMIT)? else {
            return Ok(Err(OTHER.to_owned()));
        };
        Ok(Ok((*state, incidents)))
    });
    match asked.await {
        Ok(Ok(answer)) => answer,
        Ok(Err(LeverError { message, .. })) => Err(message),
        Err(error) => Err(chain(&error)),
    }
}

async fn ask_gateway(facts: &impl Facts) -> Result<Observed, String> {
    tokio::time::timeout(FACTS_LIMIT, facts.observed())
        .await
        .unwrap_or_else(|_| Err(format!("the gateway did not answer within {FACTS_LIMIT:?}")))
}

/// What the database knows of the last hour.
struct Known {
    last_hour: UsageTotals,
    minutes: Vec<u64>,
    remarks: Vec<Remark>,
    fallbacks: Vec<FallbackView>,
}

impl Known {
    /// As it stood in a moment before.
    fn of(before: &Snapshot) -> Self {
        Self {
            last_hour: before.last_hour.clone(),
            minutes: before.minutes.clone(),
            remarks: before.remarks.clone(),
            fallbacks: before.fallbacks.clone(),
        }
    }
}

async fn ask_store(store: &Store, now: Timestamp) -> Result<Known, StoreError> {
    let hour = store::hour_start(now);
    Ok(Known {
        last_hour: store.usage_since(hour).await?,
        minutes: store.tokens_per_minute(now).await?,
        remarks: store.remarks(FEED).await?,
        fallbacks: store.fallbacks(hour, FEED).await?,
    })
}

fn facts(observed: &Observed) -> GatewayFacts {
    let names: BTreeSet<String> = observed
        .routes
        .iter()
        .chain(&observed.consumers)
        .map(ToString::to_string)
        .collect();
    GatewayFacts {
        open: observed.open,
        exchanges: observed.exchanges.clone(),
        names: names.into_iter().collect(),
        targets: observed.targets.clone(),
        budgets: observed.budgets.clone(),
    }
}

/// Adds to the kill switch's own warnings what only this side can see.
fn warn(snapshot: &mut Snapshot, gateway: Option<&Observed>, failing: &[String]) {
    let Ok(state) = &mut snapshot.killswitch else {
        return;
    };
    if let Some(observed) = gateway {
        state.warnings.extend(observed.notices.iter().cloned());
        if observed.seq.is_none() {
            let text =
                "The gateway refuses everything: its node agent has not told it yet what is cut.";
            state.warnings.push(text.to_owned());
        } else if !observed.paused.is_empty() {
            let scopes: Vec<String> = observed.paused.iter().map(ToString::to_string).collect();
            let scopes = scopes.join(", ");
            let text = format!(
                "The gateway is paused ({scopes}): its node agent has not heard from the kill switch for too long."
            );
            state.warnings.push(text);
        }
    }
    if let Some(observed) = gateway {
        state.warnings.extend(observed.trips.iter().map(tripped));
        state
            .warnings
            .extend(observed.budgets.iter().filter_map(gone));
    }
    let failing = failing.iter().map(|text| format!("Control plane: {text}"));
    state.warnings.extend(failing);
}

fn tripped(trip: &Trip) -> String {
    let (scope, cause) = (&trip.scope, &trip.cause);
    format!(
        "The gateway has closed {scope} by itself: {cause}. It stays closed until its incident is restored."
    )
}

fn gone(budget: &BudgetView) -> Option<String> {
    let (name, unit) = (&budget.name, budget.unit);
    (budget.spent >= budget.limit).then(|| {
        let (spent, limit) = (unit.bare(budget.spent), unit.say(budget.limit));
        let (window, until) = (budget.window.as_str(), budget.until);
        format!("The budget {name} is gone: {spent} of {limit} this {window}; the next begins at {until}.")
    })
}

/// Whether both say the same of the house, the clock aside.
fn same(before: &Snapshot, after: &Snapshot) -> bool {
    let state = match (&before.killswitch, &after.killswitch) {
        (Ok(before), Ok(after)) => {
            let mut after = after.clone();
            after.now = before.now;
            *before == after
        }
        (before, after) => before == after,
    };
    state
        && before.incidents == after.incidents
        && before.gateway == after.gateway
        && before.last_hour == after.last_hour
        && before.minutes == after.minutes
        && before.remarks == after.remarks
        && before.fallbacks == after.fallbacks
        && before.demo == after.demo
}
