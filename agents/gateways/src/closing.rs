//! What an overlay closes at a gateway that knows routes and consumers, but none of our scopes.
//!
//! **Invariant:** whatever a latch closes is closed here too. Where the words of a gateway cannot say it exactly, more is
//! closed, never less.

use kill_wire::{Class, Incident, Name, Subject};
use net_model::{Overlay, Overruled, Route, RouteTable};
use std::collections::BTreeSet;

/// Why something is closed: by which incident, or none where the lease has lapsed.
pub type Closed = Option<Incident>;

/// What is closed. What stands in a wider list is not repeated in a narrower one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Closing {
    /// Everything there is, also what the table does not name.
    pub all: Option<Closed>,
    /// Routes closed to everybody.
    pub routes: Vec<(Name, Closed)>,
    /// Ways closed to one consumer: consumer, route.
    pub ways: Vec<(Name, Name, Closed)>,
    /// Routes that may lead to targets of the house alone, whoever asks: what leads outside is closed.
    pub no_cloud: Vec<(Name, Closed)>,
}

impl Closing {
    /// What `overlay` closes of `table`. Where nothing is known of the routes, whatever it closes is everything.
    #[must_use]
    pub fn of(overlay: &Overlay, table: &RouteTable) -> Self {
        let mut closing = Self {
            all: all(overlay, table),
            ..Self::default()
        };
        if closing.all.is_none() {
            let consumers: BTreeSet<&Name> = table.consumers().iter().map(|c| &c.name).collect();
            for route in table.routes() {
                closing.add(overlay, route, &consumers);
            }
        }
        closing
    }

    fn add(&mut self, overlay: &Overlay, route: &Route, consumers: &BTreeSet<&Name>) {
        let name = || route.name.clone();
        let why = |consumer, class| {
            let subject = Subject {
                kind: route.kind,
                route: &route.name,
                consumer,
                class: Some(class),
            };
            overlay.overrules(&subject).map(closed)
        };
        let nobody = why(None, Class::Local);
        let each = || consumers.iter().map(|one| why(Some(*one), Class::Local));
        if let Some(why) = nobody
            && each().all(|one| one.is_some())
        {
            self.routes.push((name(), why));
            return;
        }
        for (consumer, closed) in consumers.iter().zip(each()) {
            let ways = closed.map(|why| ((*consumer).clone(), name(), why));
            self.ways.extend(ways);
        }
        let mut askers = [None]
            .into_iter()
            .chain(consumers.iter().copied().map(Some));
        let cloud = askers.find_map(|asker| {
            let local = why(asker, Class::Local).is_some();
            why(asker, Class::Cloud).filter(|_| !local)
        });
        self.no_cloud.extend(cloud.map(|why| (name(), why)));
    }

    /// Whether nothing is closed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether something is closed that was open under `before`: then there may be streams to end.
    #[must_use]
    pub fn closes_more_than(&self, before: &Self) -> bool {
        if before.all.is_some() || self.is_empty() {
            return false;
        }
        let route = |name| before.routes.iter().any(|(route, _)| route == name);
        let way = |consumer: &Name, name: &Name| {
            let mut ways = before.ways.iter();
            ways.any(|(who, route, _)| who == consumer && route == name)
        };
        let cloud = |name| before.no_cloud.iter().any(|(route, _)| route == name);
        self.all.is_some()
            || self.routes.iter().any(|(name, _)| !route(name))
            || self
                .ways
                .iter()
                .any(|(who, name, _)| !route(name) && !way(who, name))
            || self
                .no_cloud
                .iter()
                .any(|(name, _)| !route(name) && !cloud(name))
    }

    /// The incident to name where a gateway can name but one: the first, in the order of wideness.
    #[must_use]
    pub fn incident(&self) -> Option<Incident> {
        let routes = self.routes.iter().map(|(_, why)| *why);
        let ways = self.ways.iter().map(|(_, _, why)| *why);
        let no_cloud = self.no_cloud.iter().map(|(_, why)| *why);
        let mut every = self
            .all
            .into_iter()
            .chain(routes)
            .chain(ways)
            .chain(no_cloud);
        every.find_map(|why| why)
    }
}

const fn closed(why: Overruled<'_>) -> Closed {
    match why {
        Overruled::Cut(_, incident) => Some(incident),
        Overruled::Paused(_) => None,
    }
}

/// A scope that closes whatever there is, or any scope where nothing is known of the routes: a latch before a pause.
fn all(overlay: &Overlay, table: &RouteTable) -> Option<Closed> {
    use kill_wire::Scope::All;
    let unknown = table.routes().is_empty();
    let mut latches = overlay.latches.as_slice().iter();
    if let Some(latch) = latches.find(|latch| unknown || latch.scope == All) {
        return Some(Some(latch.incident));
    }
    let everything = overlay.paused.contains(&All) && overlay.held.is_empty();
    let paused = everything || unknown && !overlay.paused.is_empty();
    paused.then_some(None)
}

#[cfg(test)]
mod tests;
