//! Which target each route leads to at a gateway that only obeys: one target for everybody who takes the route, until
//! this is decided anew.
//!
//! What an embedded gateway knows of each exchange is known here by probes, and by counts of what the gateway answered.
//! The breakers and their rules are the same. What is coarser: half-open is one route led back to the target, not one
//! request, and its first count tells; and a route leads outside the house only where each of its consumers may go there.
//!
//! **Invariant:** a route leads to no target outside the house while the overlay closes its way there, whatever breakers,
//! probes and counts say.

mod counts;
mod first;
mod lead;

pub use counts::{Counts, Sample, Since};
pub use first::first_choices;
pub use lead::{Lead, Passed};

use crate::choice::{Breaker, Change, Failure, Pass, Zone, week_time};
use kill_wire::{Class, Name, Subject, Timestamp};
use net_model::{
    BreakerState, HealthView, Overlay, Overruled, Policy, Route, RouteTable, Target, TargetView,
    When,
};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// What is known of one target.
#[derive(Debug, Default)]
struct Standing {
    breaker: Breaker,
    /// The route that tries whether it is well again.
    tried_by: Option<usize>,
    since: Timestamp,
    health: Option<HealthView>,
}

/// The leads of one gateway.
#[derive(Debug)]
pub struct Steer {
    table: Arc<RouteTable>,
    zone: Zone,
    /// Whether the gateway tells what it answered: then a try ends by that, otherwise by a probe.
    counted: bool,
    targets: Vec<Standing>,
    /// Each route's consumers and their policies.
    policies: Vec<Vec<(Name, Policy)>>,
    /// What the gateway was last seen to do.
    in_force: Vec<Option<usize>>,
    /// Routes whose next count may still be of the lead before.
    turned: Vec<bool>,
}

impl Steer {
    /// Nothing is known yet: every breaker is closed.
    #[must_use]
    pub fn new(table: Arc<RouteTable>, zone: Zone, counted: bool, wall: Timestamp) -> Self {
        let standing = |_: &Target| Standing {
            since: wall,
            ..Standing::default()
        };
        let policies = |at: usize| {
            let consumers = table.consumers().iter();
            let those = consumers.filter(|consumer| consumer.routes.contains(&at));
            those
                .map(|consumer| (consumer.name.clone(), consumer.policy.clone()))
                .collect()
        };
        let routes = table.routes().len();
        Self {
            targets: table.targets().iter().map(standing).collect(),
            policies: (0..routes).map(policies).collect(),
            in_force: vec![None; routes],
            turned: vec![true; routes],
            table,
            zone,
            counted,
        }
    }

    /// Where each route leads now. May begin a try: a breaker whose pause is over lets one route back.
    pub fn leads(&mut self, overlay: &Overlay, now: Duration, wall: Timestamp) -> Vec<Lead> {
        let table = Arc::clone(&self.table);
        let mut leads = Vec::with_capacity(table.routes().len());
        for (at, route) in table.routes().iter().enumerate() {
            let mut lead = Lead::default();
            for place in &route.targets {
                let Some(target) = table.targets().get(*place) else {
                    continue;
                };
                let may = self.may_lead(at, route, target, (overlay, wall));
                let may = may.and_then(|()| self.asked(at, *place, now, wall));
                match may {
                    Ok(()) => {
                        lead.to = Some(*place);
                        break;
                    }
                    Err(why) => lead.passed.push((*place, why)),
                }
            }
            leads.push(lead);
        }
        self.leave(&leads, now);
        leads
    }

    /// Policy and overlay. A way inside the house is closed by the overlay alone, so that a restore need not turn it.
    fn may_lead(
        &self,
        at: usize,
        route: &Route,
        target: &Target,
        (overlay, wall): (&Overlay, Timestamp),
    ) -> Result<(), Passed> {
        let policies = self.policies.get(at).map_or(&[][..], Vec::as_slice);
        // Before the overlay: who may never go there is not kept from there by a cut.
        if !first::ever(policies.iter().map(|(_, policy)| policy), target.class) {
            return Err(Passed::Forbidden);
        }
        if target.class == Class::Cloud {
            closed_outside(overlay, route)?;
        }
        let judged = policies
            .iter()
            .map(|(_, policy)| self.allowed(policy, target.class, wall));
        match target.class {
            // Outside only where each of those who take the route may go.
            Class::Cloud => judged.fold(Ok(()), Result::and),
            // Inside where anybody may; who may not is barred.
            Class::Local => judged.reduce(Result::or).unwrap_or(Ok(())),
        }
    }

    fn allowed(&self, policy: &Policy, class: Class, wall: Timestamp) -> Result<(), Passed> {
        let allowance = policy.of(class);
        match &allowance.when {
            When::Always => {}
            When::Never => return Err(Passed::Forbidden),
            When::Hours(_) => {
                let minute = week_time(wall, &self.zone);
                if !allowance.when.allows(minute.day, minute.minute) {
                    return Err(Passed::NotNow);
                }
            }
        }
        if class == Class::Cloud && !allowance.unknown_price {
            return Err(Passed::UnknownPrice);
        }
        Ok(())
    }

    /// Consumers who may not take a route while it leads where it does: consumer, route.
    #[must_use]
    pub fn barred(&self, leads: &[Option<usize>], wall: Timestamp) -> BTreeSet<(Name, Name)> {
        let mut barred = BTreeSet::new();
        let routes = self.table.routes().iter().zip(&self.policies).zip(leads);
        for ((route, policies), lead) in routes {
            let target = lead.and_then(|at| self.table.targets().get(at));
            let Some(class) = target.map(|target| target.class) else {
                continue;
            };
            for (consumer, policy) in policies {
                if self.allowed(policy, class, wall).is_err() {
                    barred.insert((consumer.clone(), route.name.clone()));
                }
            }
        }
        barred
    }

    fn asked(
        &mut self,
        route: usize,
        target: usize,
        now: Duration,
        wall: Timestamp,
    ) -> Result<(), Passed> {
        let Some(standing) = self.targets.get_mut(target) else {
            return Err(Passed::BreakerOpen);
        };
        match standing.tried_by {
            Some(by) if by == route => return Ok(()),
            Some(_) => return Err(Passed::BreakerOpen),
            None => {}
        }
        match standing.breaker.ask(now) {
            Ok(Pass::Usual) => Ok(()),
            Ok(Pass::Trial) => {
                standing.tried_by = Some(route);
                standing.since = wall;
                Ok(())
            }
            Err(_) => Err(Passed::BreakerOpen),
        }
    }

    /// Gives up every try whose route leads elsewhere now.
    fn leave(&mut self, leads: &[Lead], now: Duration) {
        let table = Arc::clone(&self.table);
        let both = self.targets.iter_mut().zip(table.targets());
        for (at, (standing, target)) in both.enumerate() {
            let Some(route) = standing.tried_by else {
                continue;
            };
            if leads.get(route).is_none_or(|lead| lead.to != Some(at)) {
                standing
                    .breaker
                    .abandoned(Pass::Trial, &target.breaker, now);
                standing.tried_by = None;
            }
        }
    }

    /// These leads are in force at the gateway.
    pub fn in_force(&mut self, leads: &[Option<usize>]) {
        let routes = self.in_force.iter_mut().zip(&mut self.turned);
        for ((held, turned), lead) in routes.zip(leads) {
            if held != lead {
                *held = *lead;
                *turned = true;
            }
        }
    }

    /// Whether a target may be probed: some way to it is open.
    #[must_use]
    pub fn may_probe(&self, target: usize, overlay: &Overlay) -> bool {
        let Some(class) = self.table.targets().get(target).map(|it| it.class) else {
            return false;
        };
        let mut routes = self.table.routes().iter();
        routes.any(|route| {
            route.targets.contains(&target) && overlay.overrules(&subject(route, class)).is_none()
        })
    }

    /// What a probe of a target found.
    pub fn probed(
        &mut self,
        target: usize,
        well: bool,
        now: Duration,
        wall: Timestamp,
    ) -> Option<Change> {
        let rule = self.table.targets().get(target)?.breaker;
        let counted = self.counted;
        let standing = self.targets.get_mut(target)?;
        standing.health = Some(HealthView { at: wall, well });
        let trying = standing.tried_by.is_some();
        let change = match (trying, well) {
            // Where the gateway tells nothing, or a probe was what opened it, a probe is the try.
            (true, true) if !counted || standing.breaker.a_probe_can_tell() => {
                standing.breaker.served(Pass::Trial)
            }
            (true, true) => None,
            (true, false) => {
                let unwell = Failure::Unwell;
                standing.breaker.failed(Pass::Trial, unwell, &rule, now)
            }
            (false, true) => {
                standing.breaker.well(&rule, now);
                None
            }
            (false, false) => standing.breaker.unwell(&rule, now),
        };
        standing.changed(change, wall);
        change
    }

    /// What the gateway answered on a route since the last count. `by` is the target that answered, where the count says
    /// so; the one the route leads to is meant otherwise.
    pub fn counted(
        &mut self,
        route: usize,
        by: Option<usize>,
        since: Since,
        now: Duration,
        wall: Timestamp,
    ) -> Option<(usize, Change)> {
        let turned = self.turned.get_mut(route)?;
        // Right after a turn it is not known whose answers these were.
        if by.is_none() && std::mem::take(turned) {
            return None;
        }
        let target = by.or(self.in_force.get(route).copied().flatten())?;
        let rule = self.table.targets().get(target)?.breaker;
        let standing = self.targets.get_mut(target)?;
        let pass = match standing.tried_by {
            Some(by) if by == route => Pass::Trial,
            _ => Pass::Usual,
        };
        let mut change = None;
        let kinds = [
            (since.too_many, Failure::TooMany(None)),
            (since.failed, Failure::Status),
        ];
        for (count, failure) in kinds {
            for _ in 0..count.min(u64::from(rule.failures)) {
                change = standing
                    .breaker
                    .failed(pass, failure, &rule, now)
                    .or(change);
            }
        }
        if change.is_none() && since.served > 0 {
            change = standing.breaker.served(pass);
        }
        standing.changed(change, wall);
        change.map(|change| (target, change))
    }

    /// How each target fares.
    #[must_use]
    pub fn views(&self, now: Duration) -> Vec<TargetView> {
        let both = self.table.targets().iter().zip(&self.targets);
        let views = both.map(|(target, standing)| TargetView {
            name: target.name.clone(),
            class: target.class,
            state: standing.breaker.state(),
            since: standing.since,
            why: standing.breaker.why().map(|why| why.as_str().to_owned()),
            failures: standing.breaker.failures(&target.breaker, now),
            open: 0,
            health: standing.health.clone(),
        });
        views.collect()
    }
}

impl Standing {
    fn changed(&mut self, change: Option<Change>, wall: Timestamp) {
        if change.is_some() {
            self.since = wall;
        }
        if self.breaker.state() != BreakerState::HalfOpen {
            self.tried_by = None;
        }
    }
}

const fn subject(route: &Route, class: Class) -> Subject<'_> {
    Subject {
        kind: route.kind,
        route: &route.name,
        consumer: None,
        class: Some(class),
    }
}

fn closed_outside(overlay: &Overlay, route: &Route) -> Result<(), Passed> {
    match overlay.overrules(&subject(route, Class::Cloud)) {
        None => Ok(()),
        Some(Overruled::Cut(..)) => Err(Passed::Cut),
        Some(Overruled::Paused(_)) => Err(Passed::Paused),
    }
}

#[cfg(test)]
mod tests;
