//! One gateway: decides where its routes lead, and brings it there.

use super::looking::{Found, Looks};
use super::telling::Told;
use crate::clock;
use crate::driven::Managed;
use crate::hand::{Hand, Reach};
use gateway_core::steer::{Counts, Lead, Steer};
use gateways::apisix::route_of;
use gateways::{Drift, Gateway as _, GatewayError, Mode, Wanted};
use net_model::Overlay;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior};

/// How often counts are taken and leads decided.
const EVERY: Duration = Duration::from_secs(1);
/// How often the gateway is held against what is wanted, also while nothing changes.
const RECONCILE: Duration = Duration::from_secs(10);
/// How long a reconcile may go on once the overlay has changed: what it writes lies beneath that, and a driver that
/// ends between two writes has both to close. One that hangs is not waited for.
const GRACE: Duration = Duration::from_secs(1);
/// After a reconcile that failed.
const AGAIN: Duration = Duration::from_secs(2);

/// For each route: where it leads, and the first choice that it does not lead to for now.
type Brought = (Vec<Option<usize>>, Vec<Option<usize>>);

/// What runs of one gateway.
struct Turning<'a> {
    hand: &'a Hand,
    reach: &'a Reach,
    managed: &'a Managed,
    steer: Steer,
    counts: Counts,
    told: Told,
    /// What the gateway was brought to.
    held: Option<Brought>,
    due: Instant,
}

/// Goes on until it is dropped. Another word of what is wanted ends what is under way, wherever it is: a driver bears that,
/// and what lies over the routes is not its business. Breakers begin anew.
pub(super) async fn keep(
    hand: &Arc<Hand>,
    reach: &Arc<Reach>,
    mut managed: watch::Receiver<Managed>,
) {
    loop {
        let now = managed.borrow_and_update().clone();
        tokio::select! {
            biased;
            changed = managed.changed() => {
                if changed.is_err() {
                    return;
                }
            }
            () = keep_to(hand, reach, &now) => {}
        }
    }
}

/// Goes on until it is dropped.
async fn keep_to(hand: &Arc<Hand>, reach: &Arc<Reach>, managed: &Managed) {
    let wanted = &managed.wanted;
    let table = Arc::clone(&wanted.table);
    let steer = Steer::new(table, wanted.zone.clone(), managed.counted, clock::wall());
    let mut turning = Turning {
        hand,
        reach,
        managed,
        steer,
        counts: Counts::default(),
        told: Told::default(),
        held: None,
        due: Instant::now(),
    };
    let mut looks = Looks::new(reach, managed);
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let overlay = hand.core().overlay().clone();
        turning.turn(&overlay).await;
        looks.stop_what_is_closed(&turning.steer, &overlay);
        tokio::select! {
            biased;
            () = changed(hand, &overlay) => {}
            Some(found) = looks.next() => turning.hear(found),
            _ = ticks.tick() => looks.begin(&turning.steer, &overlay),
        }
    }
}

impl Turning<'_> {
    /// Decides, and brings the gateway there where it is not, or where it is time to look. Ends soon after the overlay has
    /// changed.
    async fn turn(&mut self, overlay: &Overlay) {
        let leads = self.steer.leads(overlay, clock::up(), clock::wall());
        let notes = self
            .told
            .leads(&self.reach.name, &self.managed.wanted.table, &leads);
        {
            let mut seen = self.reach.seen();
            seen.leads = notes;
            seen.decided = self.steer.views(clock::up());
        }
        let passed: Vec<_> = leads.iter().map(Lead::in_place_of).collect();
        let leads: Vec<_> = leads.into_iter().map(|lead| lead.to).collect();
        let brought = (leads, passed);
        let same = self.held.as_ref() == Some(&brought);
        let (leads, passed) = &brought;
        let now = Instant::now();
        // Counted by hand after a failure, so that a gateway that is away is not asked by every probe.
        if (same || self.told.is_failing()) && now < self.due {
            return;
        }
        // What is wanted lies beneath the overlay, which must be there first.
        if !self.reach.seen().follows {
            return;
        }
        let wanted = Wanted {
            table: Arc::clone(&self.managed.wanted.table),
            keys: self.managed.wanted.keys.clone(),
            barred: self.steer.barred(leads, clock::wall()),
            limits: self.managed.wanted.limits.clone(),
            leads: leads.clone(),
            passed: passed.clone(),
        };
        let work = self.reach.driver.reconcile(&wanted, Mode::Repair);
        let done = tokio::select! {
            biased;
            done = work => Some(done),
            () = outlived(self.hand, overlay) => None,
        };
        match done {
            // What had been written is looked at next; what had not, never is.
            None => self.held = None,
            Some(done) => self.done(brought, same, done),
        }
        // What the overlay comes to may depend on where routes lead: the hand looks at once.
        self.reach.nudge.notify_one();
    }

    fn done(&mut self, brought: Brought, same: bool, done: Result<Drift, GatewayError>) {
        let failed = match done {
            Err(why) => Some(why.to_string()),
            Ok(drift) => {
                let failed = drift.failed.first().cloned();
                self.told
                    .drift(self.reach, &drift, same, self.held.is_some());
                failed
            }
        };
        self.told.failing(self.reach, failed.clone());
        let rest = if failed.is_some() { AGAIN } else { RECONCILE };
        self.due = Instant::now() + rest;
        if failed.is_none() {
            self.steer.in_force(&brought.0);
            self.held = Some(brought);
        }
    }

    fn hear(&mut self, found: Found) {
        let (now, wall) = (clock::up(), clock::wall());
        let table = Arc::clone(&self.managed.wanted.table);
        match found {
            Found::Probe(target, well) => {
                let change = self.steer.probed(target, well, now, wall);
                self.told.breaker(&table, target, change);
            }
            Found::Counters(samples) => {
                for ((id, by), since) in self.counts.since(&samples) {
                    let name = route_of(&id);
                    let routes = table.routes().iter();
                    let at = routes.enumerate().find(|(_, it)| it.name.as_str() == name);
                    let Some((at, route)) = at else { continue };
                    let by = super::looking::answered(&table, route, &by);
                    if let Some((target, change)) = self.steer.counted(at, by, since, now, wall) {
                        self.told.breaker(&table, target, Some(change));
                    }
                }
            }
            Found::Nothing => {}
        }
    }
}

/// Ends a grace after what is closed has changed.
async fn outlived(hand: &Hand, overlay: &Overlay) {
    changed(hand, overlay).await;
    tokio::time::sleep(GRACE).await;
}

/// Ends when what is closed is no longer what `overlay` closes; its number alone says nothing.
async fn changed(hand: &Hand, overlay: &Overlay) {
    loop {
        let told = hand.changed.notified();
        tokio::pin!(told);
        told.as_mut().enable();
        {
            let core = hand.core();
            let now = core.overlay();
            let same = now.latches == overlay.latches
                && now.paused == overlay.paused
                && now.held == overlay.held;
            if !same {
                return;
            }
        }
        told.await;
    }
}
