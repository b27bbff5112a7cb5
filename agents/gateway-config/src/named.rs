//! Whether the rules name what there is: a rule about nobody would hold nobody to anything.

use kill_config::{Problem, Problems, listed, nearest};
use kill_wire::{Name, Scope};
use net_model::{AtEnd, RouteTable, Rules, Selector};
use std::collections::BTreeSet;

/// Holds the names in budgets and limits against the table; `false` when a problem was noted.
pub fn check_names(rules: &Rules, table: &RouteTable, problems: &Problems) -> bool {
    let known = Known::of(table);
    let mut found = Vec::new();
    let mut names = BTreeSet::new();
    for (at, budget) in rules.budgets.iter().enumerate() {
        let key = format!("gateway.budgets[{at}]");
        known.look(&budget.of, &key, &mut found);
        if let AtEnd::Trip(Scope::Named(name)) = &budget.at_end {
            let all = [known.consumers.as_slice(), &known.routes].concat();
            found.extend(unknown(name, &all, format!("{key}.scope")));
        }
        found.extend(twice(&budget.name, &mut names, &key));
    }
    names.clear();
    for (at, limit) in rules.limits.iter().enumerate() {
        let key = format!("gateway.limits[{at}]");
        known.look(&limit.of, &key, &mut found);
        found.extend(twice(&limit.name, &mut names, &key));
    }
    let fine = found.is_empty();
    found.into_iter().for_each(|problem| problems.note(problem));
    fine
}

struct Known<'a> {
    consumers: Vec<&'a str>,
    roles: Vec<&'a str>,
    routes: Vec<&'a str>,
}

impl<'a> Known<'a> {
    fn of(table: &'a RouteTable) -> Self {
        let consumers = table.consumers().iter();
        let roles: BTreeSet<&str> = consumers
            .clone()
            .filter_map(|consumer| consumer.role.as_ref().map(Name::as_str))
            .collect();
        Self {
            consumers: consumers.map(|consumer| consumer.name.as_str()).collect(),
            roles: roles.into_iter().collect(),
            routes: table.routes().iter().map(|it| it.name.as_str()).collect(),
        }
    }

    fn look(&self, of: &Selector, key: &str, found: &mut Vec<Problem>) {
        for (member, name, known) in [
            ("consumer", &of.consumer, &self.consumers),
            ("role", &of.role, &self.roles),
            ("route", &of.route, &self.routes),
        ] {
            let unknown = |name| unknown(name, known, format!("{key}.{member}"));
            found.extend(name.as_ref().and_then(unknown));
        }
    }
}

fn unknown(name: &Name, known: &[&str], key: String) -> Option<Problem> {
    if known.contains(&name.as_str()) {
        return None;
    }
    let hint = match nearest(name.as_str(), known) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "there is none".to_owned(),
        None => format!("expected one of {}", listed(known)),
    };
    Some(Problem::new(
        key,
        format!("`{name}` does not exist; {hint}"),
    ))
}

fn twice(name: &Name, names: &mut BTreeSet<Name>, key: &str) -> Option<Problem> {
    (!names.insert(name.clone())).then(|| {
        let text = format!("`{name}` is there twice; an answer could not say which one it means");
        Problem::new(format!("{key}.name"), text)
    })
}
