//! What a gateway that keeps routes of its own shall keep, and what a driver found in it.

use kill_wire::{Incident, Name, ProbePoint, ProbePoints};
use net_model::{Limit, Route, RouteTable, Secret, Target};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What a gateway's own routes shall be.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Routes, targets and consumers.
    pub table: Arc<RouteTable>,
    /// The consumers' keys, by name: a gateway that checks keys itself must know them.
    pub keys: BTreeMap<Name, Secret>,
    /// For each route of the table, in its order: the target it leads to now; none where nothing may serve it.
    pub leads: Vec<Option<usize>>,
    /// For each route of the table, in its order: the first choice that it does not lead to for now; none where it does, and
    /// where nobody says.
    pub passed: Vec<Option<usize>>,
    /// Ways that are closed by policy now, such as outside of a consumer's hours: consumer, route.
    pub barred: BTreeSet<(Name, Name)>,
    /// Limits the gateway shall hold; a driver says which of them its gateway cannot.
    pub limits: Vec<Limit>,
}

impl Wanted {
    /// In whose place a route leads where it leads now.
    #[must_use]
    pub fn in_place_of(&self, route: &Route) -> Option<&Target> {
        let mut routes = self.table.routes().iter();
        let at = routes.position(|other| other.name == route.name)?;
        let first = self.passed.get(at).copied().flatten()?;
        self.table.targets().get(first)
    }

    /// Every way through: each consumer on each of its routes, to the target that the route leads to now.
    #[must_use]
    pub fn points(&self) -> ProbePoints {
        let (routes, targets) = (self.table.routes(), self.table.targets());
        let way = |consumer: &Name, at: usize| {
            let route = routes.get(at)?;
            let target = targets.get((*self.leads.get(at)?)?)?;
            Some(ProbePoint {
                kind: route.kind,
                consumer: consumer.clone(),
                route: route.name.clone(),
                target: target.name.clone(),
                class: target.class,
            })
        };
        let consumers = self.table.consumers();
        let points = consumers.iter().flat_map(|consumer| {
            let ways = consumer.routes.iter();
            ways.filter_map(|at| way(&consumer.name, *at))
        });
        let names = routes.iter().map(|route| &route.name);
        let names = names.chain(consumers.iter().map(|consumer| &consumer.name));
        ProbePoints {
            names: names.cloned().collect(),
            points: points.collect(),
        }
    }
}

/// Whether [`crate::Gateway::reconcile`] writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Brings the gateway to what is wanted.
    Repair,
    /// Says what it would change, and changes nothing.
    Show,
}

/// What was not as wanted, one line each as people read it: `route chat`, `consumer claw: key`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drift {
    /// Was not there.
    pub missing: Vec<String>,
    /// Was there, and different.
    pub changed: Vec<String>,
    /// Was there under our name, and is not wanted.
    pub surplus: Vec<String>,
    /// Not brought right, with the reason.
    pub failed: Vec<String>,
}

impl Drift {
    /// Whether everything was as wanted.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// What one try through the data port saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probed {
    /// The way.
    pub way: ProbePoint,
    /// What came back.
    pub seen: Passage,
}

/// How a try ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Passage {
    /// It came through.
    Open,
    /// Refused, with the incident it named.
    Cut(Incident),
    /// Refused by us without an incident: a pause.
    Closed,
    /// An answer nobody expects, or none.
    Odd(String),
}

/// Something found at set-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// A cut would not work, or not wholly.
    pub grave: bool,
    /// What it is and how to put it right.
    pub text: String,
}
