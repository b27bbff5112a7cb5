//! Where requests go and who may ask: `[[gateway.targets]]`, `[[gateway.routes]]` and `[[gateway.consumers]]` together.

use crate::consumer::{ConsumerWish, Keys, consumer};
use crate::route::{RouteWish, route};
use crate::target::target;
use kill_config::{Problem, Problems, Reading, Section, listed, nearest};
use kill_wire::{Name, RouteKind};
use net_model::{Consumer, KeyHash, ModelPattern, Route, RouteTable, Secret, Target};
use std::collections::BTreeMap;

/// The file in the data folder with the consumers that the control plane keeps, as mistakes name it.
pub const KEPT: &str = "consumers.toml";

/// The consumer that is built in where the file names none.
const BUILT_IN: &str = "agent";

/// What the file names. What it leaves out comes from a [`Fallback`].
#[derive(Debug, Default)]
pub struct Ways {
    targets: Vec<Target>,
    routes: Vec<RouteWish>,
    consumers: Vec<ConsumerWish>,
    /// Those that the control plane keeps beside the file.
    kept: Vec<ConsumerWish>,
}

/// What stands in for what the file leaves out.
#[derive(Clone, Debug)]
pub struct Fallback {
    /// The only target, when the file names none.
    pub target: Target,
    /// Key of the consumer `agent`, when the file names no consumer.
    pub key: KeyHash,
}

/// Reads them; `None` when a problem was noted that leaves them unusable.
pub fn ways(section: &mut Section<'_>, reading: &mut Reading<'_>, keys: Keys) -> Option<Ways> {
    let problems = reading.problems;
    let mut targets = Vec::new();
    for section in section.sections("targets") {
        targets.push(target(section, reading));
    }
    let routes = section.sections("routes").into_iter();
    let routes: Vec<_> = routes.map(|it| route(it, problems)).collect();
    let mut consumers = Vec::new();
    for section in section.sections("consumers") {
        consumers.push(consumer(section, reading, keys));
    }
    if targets.is_empty() && !routes.is_empty() {
        let text = "missing; the routes need targets: write at least one [[gateway.targets]]";
        section.note("targets", text);
    }
    Some(Ways {
        targets: targets.into_iter().collect::<Option<_>>()?,
        routes: routes.into_iter().collect::<Option<_>>()?,
        consumers: consumers.into_iter().collect::<Option<_>>()?,
        kept: Vec::new(),
    })
}

impl Ways {
    /// Whether the file says where requests go.
    #[must_use]
    pub const fn has_targets(&self) -> bool {
        !self.targets.is_empty()
    }

    /// Whether the file says who may ask.
    #[must_use]
    pub const fn has_consumers(&self) -> bool {
        !self.consumers.is_empty()
    }

    /// Reads the consumers that the control plane keeps; `None` when a problem was noted that leaves them unusable.
    pub fn keep(
        &mut self,
        section: &mut Section<'_>,
        reading: &mut Reading<'_>,
        keys: Keys,
    ) -> Option<()> {
        let mut kept = Vec::new();
        for section in section.sections("consumers") {
            kept.push(consumer(section, reading, keys));
        }
        self.kept = kept.into_iter().collect::<Option<_>>()?;
        let mut fine = true;
        for (at, wish) in self.kept.iter().enumerate() {
            let twin = self.consumers.iter().position(|it| it.name == wish.name);
            if let Some(twin) = twin {
                let text = format!(
                    "`{}` stands in the configuration file, too, as gateway.consumers[{twin}]; remove one of them",
                    wish.name
                );
                let key = format!("{KEPT}.consumers[{at}].name");
                reading.problems.note(Problem::new(key, text));
                fine = false;
            }
        }
        fine.then_some(())
    }

    /// Whether the consumer that first start made is in force.
    #[must_use]
    pub fn has_built_in_consumer(&self) -> bool {
        self.consumers.is_empty() && !self.kept.iter().any(|it| it.name.as_str() == BUILT_IN)
    }

    /// What scopes are called: routes and consumers, also those that are built in.
    #[must_use]
    pub fn names(&self) -> Vec<Name> {
        let routes = self.routes.iter().map(|route| route.name.clone());
        let consumers = self.consumers.iter().chain(&self.kept);
        let consumers = consumers.map(|consumer| consumer.name.clone());
        let built_in = [
            ("chat", self.routes.is_empty()),
            (BUILT_IN, self.has_built_in_consumer()),
        ];
        let built_in = built_in.into_iter().filter(|(_, there)| *there);
        let built_in = built_in.filter_map(|(name, _)| name.parse().ok());
        routes.chain(consumers).chain(built_in).collect()
    }

    /// How many targets, routes and consumers the file names.
    #[must_use]
    pub const fn counts(&self) -> (usize, usize, usize) {
        (
            self.targets.len(),
            self.routes.len(),
            self.consumers.len() + self.kept.len(),
        )
    }

    /// The consumers' keys, by name; none unless they were asked for.
    #[must_use]
    pub fn keys(&self) -> BTreeMap<Name, Secret> {
        let consumers = self.consumers.iter().chain(&self.kept);
        let keys = consumers.filter_map(|it| Some((it.name.clone(), it.secret.clone()?)));
        keys.collect()
    }

    /// The route table: what the file says, the rest from `fallback`.
    ///
    /// # Errors
    /// With every mistake, when names do not lead anywhere, or cannot be told apart.
    pub fn table(&self, fallback: &Fallback) -> Result<RouteTable, Vec<Problem>> {
        let problems = Problems::default();
        let targets = if self.has_targets() {
            self.targets.clone()
        } else {
            vec![fallback.target.clone()]
        };
        let routes = self.routes(&targets, &problems);
        let consumers = self.consumers(&routes, fallback.key, &problems);
        let own = consumers.len().saturating_sub(self.kept.len());
        let mut found = problems.into_sorted();
        match RouteTable::new(targets, routes, consumers) {
            Ok(table) if found.is_empty() => Ok(table),
            Ok(_) => Err(found),
            Err(more) => {
                // An unknown name was reported with its nearest; an empty list it left behind says no more.
                let known: Vec<String> = found.iter().map(|p| p.key.clone()).collect();
                let more = more.into_iter().filter(|p| !known.contains(&p.key));
                found.extend(more.map(|p| Problem::new(moved(&p.key, own), p.text)));
                Err(found)
            }
        }
    }

    fn routes(&self, targets: &[Target], problems: &Problems) -> Vec<Route> {
        let names: Vec<&str> = targets.iter().map(|t| t.name.as_str()).collect();
        if self.routes.is_empty() {
            let all = ModelPattern::new("*").ok();
            let route = |name| Route {
                name,
                kind: RouteKind::Llm,
                models: all.into_iter().collect(),
                targets: (0..targets.len()).collect(),
            };
            return "chat".parse().ok().map(route).into_iter().collect();
        }
        let made = self.routes.iter().enumerate().map(|(at, wish)| Route {
            name: wish.name.clone(),
            kind: wish.kind,
            models: wish.models.clone(),
            targets: places(
                &wish.targets,
                &names,
                &format!("gateway.routes[{at}].targets"),
                problems,
            ),
        });
        made.collect()
    }

    fn consumers(&self, routes: &[Route], key: KeyHash, problems: &Problems) -> Vec<Consumer> {
        let names: Vec<&str> = routes.iter().map(|r| r.name.as_str()).collect();
        let mut made = Vec::new();
        if self.has_built_in_consumer() {
            let all: Vec<usize> = (0..routes.len()).collect();
            let name = BUILT_IN.parse().ok();
            made.extend(name.map(|name| Consumer::new(name, key, all)));
        }
        for (of, wishes) in [("gateway", &self.consumers), (KEPT, &self.kept)] {
            let wishes = wishes.iter().enumerate();
            made.extend(wishes.map(|(at, wish)| Consumer {
                name: wish.name.clone(),
                key: wish.key,
                old_key: wish.old_key,
                routes: places(
                    &wish.routes,
                    &names,
                    &format!("{of}.consumers[{at}].routes"),
                    problems,
                ),
                role: wish.role.clone(),
                policy: wish.policy.clone(),
            }));
        }
        made
    }
}

/// The key of a consumer that is kept, where the table counts it on behind the `own` of the file.
fn moved(key: &str, own: usize) -> String {
    let place = || {
        let (at, rest) = key.strip_prefix("gateway.consumers[")?.split_once(']')?;
        let at = at.parse::<usize>().ok()?.checked_sub(own)?;
        Some(format!("{KEPT}.consumers[{at}]{rest}"))
    };
    place().unwrap_or_else(|| key.to_owned())
}

/// Where each of `wanted` stands in `names`; one that stands nowhere is a problem at `key`.
fn places(wanted: &[String], names: &[&str], key: &str, problems: &Problems) -> Vec<usize> {
    let mut found = Vec::new();
    for name in wanted {
        let lower = name.to_ascii_lowercase();
        match names.iter().position(|known| *known == lower) {
            Some(at) => found.push(at),
            None => {
                let hint = match nearest(&lower, names) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("expected one of {}", listed(names)),
                };
                let short: String = name.chars().take(48).collect();
                problems.note(Problem::new(
                    key,
                    format!("`{short}` does not exist; {hint}"),
                ));
            }
        }
    }
    found
}
