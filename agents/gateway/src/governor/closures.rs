//! What the gateway has closed by itself, until the kill switch's latch takes over and is restored.

use crate::deny::Denied;
use arc_swap::ArcSwap;
use kill_wire::{Name, Subject};
use net_model::{AtEnd, BudgetUnit, Overlay, Rules, Trip};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, PoisonError};

/// Most closures at once: as many as there are consumers and routes, with room.
const MAX_CLOSURES: usize = 1024;

/// The budget that tripped, as it was then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Rule {
    pub(super) budget: Name,
    pub(super) unit: BudgetUnit,
    pub(super) limit: u64,
}

/// One scope that is closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Closure {
    pub(super) trip: Trip,
    /// None: no budget, but how the consumer behaved.
    pub(super) rule: Option<Rule>,
    /// The kill switch holds it now.
    pub(super) latched: bool,
}

/// All of them; readers never wait.
#[derive(Debug)]
pub(super) struct Closures {
    current: ArcSwap<Vec<Closure>>,
    change: Mutex<()>,
}

impl Closures {
    pub(super) fn new(closures: Vec<Closure>) -> Self {
        Self {
            current: ArcSwap::from_pointee(closures),
            change: Mutex::default(),
        }
    }

    pub(super) fn admits(&self, subject: &Subject<'_>) -> Result<(), Denied> {
        let closures = self.current.load();
        let closing = closures
            .iter()
            .find(|closure| closure.trip.scope.covers(subject));
        closing.map_or(Ok(()), |closure| {
            let trip = &closure.trip;
            Err(Denied::Tripped(trip.scope.clone(), trip.cause.clone()))
        })
    }

    /// Closes what `trip` is about; `None` when that scope is closed already.
    pub(super) fn close(&self, trip: Trip, rule: Option<Rule>) -> Option<Trip> {
        self.change(|closures| {
            let there = closures.iter().any(|it| it.trip.scope == trip.scope);
            if there || closures.len() >= MAX_CLOSURES {
                return None;
            }
            closures.push(Closure {
                trip: trip.clone(),
                rule,
                latched: false,
            });
            Some(trip)
        })
    }

    /// Takes note of the latches in force; those whose latch came and was restored end here.
    ///
    /// Only the very scope counts: what somebody cut and restored beside it says nothing of this.
    pub(super) fn saw(&self, overlay: &Overlay) -> Vec<Closure> {
        if self.current.load().is_empty() {
            return Vec::new();
        }
        let latches = overlay.latches.as_slice();
        self.change(|closures| {
            let mut ended = Vec::new();
            closures.retain_mut(|closure| {
                let holds = latches
                    .iter()
                    .any(|latch| latch.scope == closure.trip.scope);
                let ends = closure.latched && !holds;
                closure.latched |= holds;
                if ends {
                    ended.push(closure.clone());
                }
                !ends
            });
            ended
        })
    }

    /// Ends those whose budget is gone from the rules, or is another now.
    pub(super) fn without_rules(&self, rules: &Rules) -> Vec<Closure> {
        self.change(|closures| {
            let mut ended = Vec::new();
            closures.retain(|closure| {
                let stays = closure
                    .rule
                    .as_ref()
                    .is_none_or(|rule| stands(rules, rule, closure));
                if !stays {
                    ended.push(closure.clone());
                }
                stays
            });
            ended
        })
    }

    pub(super) fn all(&self) -> Vec<Closure> {
        self.current.load().to_vec()
    }

    /// What the kill switch is not known to hold.
    pub(super) fn unlatched(&self) -> Vec<Trip> {
        let closures = self.current.load();
        let waiting = closures.iter().filter(|closure| !closure.latched);
        waiting.map(|closure| closure.trip.clone()).collect()
    }

    pub(super) fn trips(&self) -> Vec<Trip> {
        let closures = self.current.load();
        closures.iter().map(|it| it.trip.clone()).collect()
    }

    fn change<T>(&self, change: impl FnOnce(&mut Vec<Closure>) -> T) -> T {
        let _one_at_a_time = self.change.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.current.load_full();
        let mut closures = before.to_vec();
        let result = change(&mut closures);
        if closures != *before {
            self.current.store(Arc::new(closures));
        }
        result
    }
}

fn stands(rules: &Rules, rule: &Rule, closure: &Closure) -> bool {
    rules.budgets.iter().any(|budget| {
        let limit = match rule.unit {
            BudgetUnit::Tokens => budget.tokens,
            BudgetUnit::Money => budget.money.map(|money| money.0),
        };
        budget.name == rule.budget
            && limit == Some(rule.limit)
            && budget.at_end == AtEnd::Trip(closure.trip.scope.clone())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use kill_wire::{Incident, Latch, LatchSet, RouteKind, Timestamp};
    use net_model::TripKind;

    fn trip(scope: &str) -> Trip {
        Trip {
            at: Timestamp::default(),
            consumer: None,
            scope: scope.parse().unwrap(),
            kind: TripKind::Storm,
            cause: "too much".to_owned(),
        }
    }

    fn latched(scopes: &[&str]) -> Overlay {
        let mut latches = LatchSet::default();
        let mut incident = Incident::FIRST;
        for scope in scopes {
            let latch = Latch {
                incident,
                scope: scope.parse().unwrap(),
                since: Timestamp::default(),
            };
            latches.push(latch).unwrap();
            incident = incident.next();
        }
        Overlay {
            latches,
            ..Overlay::default()
        }
    }

    fn is_open(closures: &Closures) -> bool {
        let (route, claw): (Name, Name) = ("chat".parse().unwrap(), "claw".parse().unwrap());
        let subject = Subject {
            kind: RouteKind::Llm,
            route: &route,
            consumer: Some(&claw),
            class: None,
        };
        closures.admits(&subject).is_ok()
    }

    #[test]
    fn it_holds_until_its_own_latch_came_and_was_restored() {
        let closures = Closures::new(vec![]);
        assert!(closures.close(trip("claw"), None).is_some());
        assert!(closures.close(trip("claw"), None).is_none(), "asked once");
        assert!(!is_open(&closures));
        for other in [&[][..], &["all"], &[], &["claw", "llm"], &["claw"]] {
            assert!(closures.saw(&latched(other)).is_empty());
            assert!(!is_open(&closures), "{other:?}");
        }
        assert_eq!(closures.saw(&latched(&[])).len(), 1);
        assert!(is_open(&closures));
    }
}
