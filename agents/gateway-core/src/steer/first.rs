//! The first choice of a route: in whose place every other target answers.

use kill_wire::{Class, Name};
use net_model::{Policy, Route, RouteTable, When};
use std::collections::BTreeMap;

/// Whether those who take a route may be led to this class of target at any time: outside where each of them may go there,
/// inside where anybody may.
pub(super) fn ever<'a>(policies: impl Iterator<Item = &'a Policy>, class: Class) -> bool {
    let mut may = policies.map(|policy| match policy.of(class).when {
        When::Always | When::Hours(_) => true,
        When::Never => false,
    });
    match class {
        Class::Cloud => may.all(|may| may),
        // Nobody takes it: then nobody is kept away either.
        Class::Local => may.next().is_none_or(|first| first || may.any(|may| may)),
    }
}

/// For each route that has one, the first of its targets that it may lead to at any time, by their names.
#[must_use]
pub fn first_choices(table: &RouteTable) -> BTreeMap<Name, Name> {
    let first = |(at, route): (usize, &Route)| {
        let mut targets = route
            .targets
            .iter()
            .filter_map(|at| table.targets().get(*at));
        let first = targets.find(|target| {
            let consumers = table.consumers().iter();
            let those = consumers.filter(|consumer| consumer.routes.contains(&at));
            ever(those.map(|consumer| &consumer.policy), target.class)
        })?;
        Some((route.name.clone(), first.name.clone()))
    };
    table
        .routes()
        .iter()
        .enumerate()
        .filter_map(first)
        .collect()
}
