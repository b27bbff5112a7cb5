//! The section `[gateway]`: targets, routes, consumers, and the rules they live by.

mod consumer;
mod front;
mod named;
mod operating;
mod rules;
mod target;
mod word;

use consumer::{ConsumerWish, consumer};
use gateway::{Front, Operating};
use kill_config::{Problem, Problems, Section, listed, listen, loopback, nearest};
use kill_wire::{Class, Name, RouteKind};
use net_model::{Consumer, KeyHash, ModelPattern, Route, RouteTable, Rules, Target};
use std::net::SocketAddr;
use std::path::Path;

const NAME: &str = "a name: 1 to 24 of a-z, 0-9, `.`, `_`, `-`, starting with a letter, and no word of the kill switch's grammar";

/// What the file wants of the gateway. What it leaves out comes from a [`Fallback`].
#[derive(Debug)]
pub(crate) struct GatewaySection {
    /// Where it listens.
    pub(crate) listen: SocketAddr,
    targets: Vec<Target>,
    routes: Vec<RouteWish>,
    consumers: Vec<ConsumerWish>,
    rules: Rules,
    front: Front,
    operating: Operating,
}

/// What stands in for an empty section.
#[derive(Clone, Debug)]
pub(crate) struct Fallback {
    /// The only target, when the file names none.
    pub(crate) target: Target,
    /// Key of the consumer `agent`, when the file names no consumer.
    pub(crate) key: KeyHash,
}

#[derive(Debug)]
struct RouteWish {
    name: Name,
    kind: RouteKind,
    models: Vec<ModelPattern>,
    targets: Vec<String>,
}

impl GatewaySection {
    /// Whether the file says where requests go.
    pub(crate) fn has_targets(&self) -> bool {
        !self.targets.is_empty()
    }

    /// What scopes are called: routes and consumers, also those that are built in.
    pub(crate) fn names(&self) -> Vec<Name> {
        let routes = self.routes.iter().map(|route| route.name.clone());
        let consumers = self.consumers.iter().map(|consumer| consumer.name.clone());
        let built_in = [
            ("chat", self.routes.is_empty()),
            ("agent", self.consumers.is_empty()),
        ];
        let built_in = built_in.into_iter().filter(|(_, there)| *there);
        let built_in = built_in.filter_map(|(name, _)| name.parse().ok());
        routes.chain(consumers).chain(built_in).collect()
    }

    /// How many targets, routes and consumers the file names.
    pub(crate) fn counts(&self) -> (usize, usize, usize) {
        (self.targets.len(), self.routes.len(), self.consumers.len())
    }

    /// Whether the file says who may ask.
    pub(crate) fn has_consumers(&self) -> bool {
        !self.consumers.is_empty()
    }

    /// Budgets, limits and runaways.
    pub(crate) fn rules(&self) -> &Rules {
        &self.rules
    }

    /// How clients reach it.
    pub(crate) fn front(&self) -> &Front {
        &self.front
    }

    /// Who follows along.
    pub(crate) fn operating(&self) -> &Operating {
        &self.operating
    }

    /// The route table: what the file says, the rest from `fallback`.
    pub(crate) fn table(&self, fallback: &Fallback) -> Result<RouteTable, Vec<Problem>> {
        let problems = Problems::default();
        let targets = if self.has_targets() {
            self.targets.clone()
        } else {
            vec![fallback.target.clone()]
        };
        let routes = self.routes(&targets, &problems);
        let consumers = self.consumers(&routes, fallback.key, &problems);
        let mut found = problems.into_sorted();
        match RouteTable::new(targets, routes, consumers) {
            Ok(table) if found.is_empty() => Ok(table),
            Ok(_) => Err(found),
            Err(more) => {
                // An unknown name was reported with its nearest; an empty list it left behind says no more.
                let known: Vec<String> = found.iter().map(|p| p.key.clone()).collect();
                let more = more.into_iter().filter(|p| !known.contains(&p.key));
                found.extend(more.map(|p| Problem::new(p.key, p.text)));
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
        if self.consumers.is_empty() {
            let all: Vec<usize> = (0..routes.len()).collect();
            let consumer = |name| Consumer::new(name, key, all);
            return "agent".parse().ok().map(consumer).into_iter().collect();
        }
        let made = self
            .consumers
            .iter()
            .enumerate()
            .map(|(at, wish)| Consumer {
                name: wish.name.clone(),
                key: wish.key,
                routes: places(
                    &wish.routes,
                    &names,
                    &format!("gateway.consumers[{at}].routes"),
                    problems,
                ),
                role: wish.role.clone(),
                policy: wish.policy.clone(),
            });
        made.collect()
    }
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

/// Reads the section; `None` when a problem was noted that leaves it unusable.
pub(super) fn read(
    section: Option<Section<'_>>,
    folder: &Path,
    problems: &Problems,
    warnings: &mut Vec<Problem>,
) -> Option<GatewaySection> {
    let Some(mut section) = section else {
        return Some(GatewaySection {
            listen: loopback(7412),
            targets: Vec::new(),
            routes: Vec::new(),
            consumers: Vec::new(),
            rules: Rules::default(),
            front: Front::default(),
            operating: Operating::default(),
        });
    };
    let listen = listen(&mut section, 7412);
    let targets: Vec<_> = section
        .sections("targets")
        .into_iter()
        .map(|section| target::target(section, folder, problems, warnings))
        .collect();
    let routes: Vec<_> = section
        .sections("routes")
        .into_iter()
        .map(|s| route(s, problems))
        .collect();
    let consumers: Vec<_> = section
        .sections("consumers")
        .into_iter()
        .map(|section| consumer(section, folder, problems, warnings))
        .collect();
    let rules = rules::rules(&mut section, problems);
    let front = front::front(&mut section, folder);
    let operating = operating::operating(&mut section, folder);
    if targets.is_empty() && !routes.is_empty() {
        let text = "missing; the routes need targets: write at least one [[gateway.targets]]";
        problems.note(Problem::new("gateway.targets", text));
    }
    section.finish();
    let wish = GatewaySection {
        listen,
        targets: targets.into_iter().collect::<Option<_>>()?,
        routes: routes.into_iter().collect::<Option<_>>()?,
        consumers: consumers.into_iter().collect::<Option<_>>()?,
        rules: rules?,
        front: front?,
        operating: operating?,
    };
    // Names are held against each other here, so that `config check` needs no state folder.
    let stand_in = Fallback {
        target: Target::new(
            "ollama".parse().ok()?,
            Class::Local,
            "http://127.0.0.1:11434/v1".parse().ok()?,
        ),
        key: KeyHash::of(b""),
    };
    match wish.table(&stand_in) {
        Ok(table) => named::check(&wish.rules, &table, problems).then_some(wish),
        Err(found) => {
            found.into_iter().for_each(|problem| problems.note(problem));
            None
        }
    }
}

fn route(mut section: Section<'_>, problems: &Problems) -> Option<RouteWish> {
    let name = section.need_parsed::<Name>("name", NAME);
    let kind = match section.text("kind", "`llm`").as_deref() {
        None | Some("llm") => Some(RouteKind::Llm),
        Some("agent") => Some(RouteKind::Agent),
        Some("tool") => Some(RouteKind::Tool),
        Some(other) => {
            let text = format!("`{other}` is not `llm`, `agent` or `tool`");
            problems.note(Problem::new(section.key("kind"), text));
            None
        }
    };
    let key = section.key("models");
    let models = section
        .texts("models", "a list of model names, such as [\"*\"]")
        .unwrap_or_else(|| vec!["*".to_owned()]);
    let models: Vec<_> = models
        .iter()
        .map(|model| problems.take(&key, ModelPattern::new(model)))
        .collect();
    let targets = section.need_texts("targets", "a list of names out of gateway.targets");
    section.finish();
    Some(RouteWish {
        name: name?,
        kind: kind?,
        models: models.into_iter().collect::<Option<_>>()?,
        targets: targets?,
    })
}
