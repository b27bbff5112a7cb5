//! What is closed, in words an APISIX can hold: routes by their id, and on others the keys that still pass.
//!
//! **Invariant:** whatever the overlay closes is closed by the rule. Ways are closed by naming who may still pass: whoever
//! comes with another key, in another place or with none, is refused.

use super::names::{ABORT, CUT, bearer, id, models_id};
use crate::{Closing, Refusal, Wanted, refusal};
use kill_wire::{Class, Name};
use net_model::{Overlay, Route, Secret, When};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::iter;

/// Most conditions of which one must hold; the plugin takes no more.
const MOST_GROUPS: usize = 20;

/// What a rule closes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Shut {
    /// Everything, whoever's it is.
    pub(super) all: bool,
    /// Routes of ours, to everybody.
    pub(super) routes: BTreeSet<Name>,
    /// Routes of ours to everybody but these consumers.
    pub(super) but: BTreeMap<Name, BTreeSet<Name>>,
}

impl Shut {
    /// What `overlay` closes of what is wanted.
    pub(super) fn of(overlay: &Overlay, wanted: &Wanted) -> Self {
        let closing = Closing::of(overlay, &wanted.table);
        if closing.all.is_some() {
            return Self {
                all: true,
                ..Self::default()
            };
        }
        let mut shut = Self::default();
        for (name, _) in &closing.routes {
            shut.routes.insert(name.clone());
        }
        for (name, _) in &closing.no_cloud {
            if class(wanted, name) != Some(Class::Local) {
                shut.routes.insert(name.clone());
            }
        }
        for route in wanted.table.routes() {
            let ways = closing
                .ways
                .iter()
                .filter(|(_, name, _)| *name == route.name);
            let closed: BTreeSet<&Name> = ways.map(|(consumer, ..)| consumer).collect();
            let may = consumers(wanted, route);
            if may.iter().any(|name| closed.contains(name)) {
                let known = |name: &&Name| wanted.keys.contains_key(*name);
                let pass = may.into_iter().filter(|name| !closed.contains(name));
                let pass: BTreeSet<Name> = pass.filter(known).cloned().collect();
                shut.but.insert(route.name.clone(), pass);
            }
        }
        shut.tidied()
    }

    /// Closes what either closes.
    pub(super) fn and(mut self, other: &Self) -> Self {
        self.all |= other.all;
        self.routes.extend(other.routes.iter().cloned());
        for (route, pass) in &other.but {
            match self.but.get_mut(route) {
                Some(ours) => ours.retain(|name| pass.contains(name)),
                None => {
                    self.but.insert(route.clone(), pass.clone());
                }
            }
        }
        self.tidied()
    }

    /// Whether nothing is closed.
    pub(super) fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Whether everything `other` closes is closed.
    pub(super) fn covers(&self, other: &Self) -> bool {
        let whole = |route: &Name| self.routes.contains(route);
        let but = |(route, pass): (&Name, &BTreeSet<Name>)| {
            let ours = self.but.get(route);
            whole(route) || ours.is_some_and(|ours| ours.is_subset(pass))
        };
        self.all || (!other.all && other.routes.iter().all(whole) && other.but.iter().all(but))
    }

    /// Whether the route is closed to whoever comes without a key.
    pub(super) fn refuses(&self, route: &Name) -> bool {
        self.all || self.routes.contains(route) || self.but.contains_key(route)
    }

    /// One form for what is the same, and no more groups than the plugin takes: the rest is closed wholly.
    fn tidied(mut self) -> Self {
        if self.all {
            return Self {
                all: true,
                ..Self::default()
            };
        }
        let (mut routes, mut kept) = (self.routes, BTreeMap::new());
        let mut passes: BTreeSet<BTreeSet<Name>> = BTreeSet::new();
        for (route, pass) in self.but {
            if routes.contains(&route) {
                continue;
            }
            let known = passes.contains(&pass);
            if pass.is_empty() || (!known && passes.len() + 1 >= MOST_GROUPS) {
                routes.insert(route);
            } else {
                passes.insert(pass.clone());
                kept.insert(route, pass);
            }
        }
        self.routes = routes;
        self.but = kept;
        self
    }

    /// The global rule that closes this, refusing as `overlay` says; none where nothing is closed.
    /// A name may stand for two routes there (`twofold`).
    pub(super) fn rule(
        &self,
        refusal: &Refusal,
        keys: &BTreeMap<Name, Secret>,
        twofold: bool,
    ) -> Option<Value> {
        if self.is_nothing() {
            return None;
        }
        let headers: Map<String, Value> = refusal
            .headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json!(value)))
            .collect();
        let mut abort = json!({
            "http_status": refusal.status,
            "body": refusal.body,
            "headers": headers,
        });
        if !self.all
            && let Some(abort) = abort.as_object_mut()
        {
            abort.insert("vars".to_owned(), self.vars(keys, twofold));
        }
        Some(json!({ "id": CUT, "plugins": { ABORT: { "abort": abort } } }))
    }

    /// A list of groups: a request is refused where all of one group holds.
    fn vars(&self, keys: &BTreeMap<Name, Secret>, twofold: bool) -> Value {
        let mut groups = Vec::new();
        if !self.routes.is_empty() {
            groups.push(json!([is_one_of(self.routes.iter(), twofold)]));
        }
        let mut by_pass: BTreeMap<&BTreeSet<Name>, Vec<&Name>> = BTreeMap::new();
        for (route, pass) in &self.but {
            by_pass.entry(pass).or_default().push(route);
        }
        for (pass, routes) in by_pass {
            let mut group = vec![is_one_of(routes.into_iter(), twofold)];
            for key in pass.iter().filter_map(|name| keys.get(name)) {
                group.push(json!(["http_authorization", "~=", bearer(key)]));
            }
            groups.push(Value::Array(group));
        }
        Value::Array(groups)
    }
}

/// How a refusal under this overlay reads. Where everything is paused and something is cut besides, the cut is named:
/// without its incident nobody could prove it.
pub(super) fn words(overlay: &Overlay, wanted: &Wanted) -> Refusal {
    let mut closing = Closing::of(overlay, &wanted.table);
    if closing.incident().is_none()
        && let Some(latch) = overlay.latches.as_slice().first()
    {
        closing.all = Some(Some(latch.incident));
    }
    refusal(&closing)
}

fn is_one_of<'a>(routes: impl Iterator<Item = &'a Name>, twofold: bool) -> Value {
    let both = |name| iter::once(id(name)).chain(twofold.then(|| models_id(name)));
    let mut ids: Vec<String> = routes.flat_map(both).collect();
    match (ids.pop(), ids.is_empty()) {
        (Some(only), true) => json!(["route_id", "==", only]),
        (last, _) => {
            ids.extend(last);
            json!(["route_id", "in", ids])
        }
    }
}

/// Where a route leads now; none where that is not known, or nowhere.
pub(super) fn class(wanted: &Wanted, route: &Name) -> Option<Class> {
    let mut routes = wanted.table.routes().iter().zip(&wanted.leads);
    let (_, lead) = routes.find(|(other, _)| other.name == *route)?;
    wanted.table.targets().get((*lead)?).map(|to| to.class)
}

/// Who may take a route now.
pub(super) fn consumers<'a>(wanted: &'a Wanted, route: &Route) -> Vec<&'a Name> {
    let routes = wanted.table.routes();
    let at = routes.iter().position(|other| other.name == route.name);
    let class = class(wanted, &route.name);
    let consumers = wanted.table.consumers().iter();
    let may = consumers.filter(|one| {
        let never = class.is_some_and(|class| one.policy.of(class).when == When::Never);
        let barred = (one.name.clone(), route.name.clone());
        at.is_some_and(|at| one.routes.contains(&at)) && !never && !wanted.barred.contains(&barred)
    });
    may.map(|one| &one.name).collect()
}

#[cfg(test)]
mod tests;
