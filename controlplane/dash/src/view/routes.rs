//! Every governed route: who may take it, where it leads, whether it is open. Read off the ways that the probes know, so it
//! says what exists, not what was configured.

use askama::Template;
use kill_wire::{Class, RouteKind, Scope, Standing};
use net_model::Snapshot;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Template)]
#[template(path = "targets/routes.html")]
pub(crate) struct Routes {
    pub(crate) readable: bool,
    pub(crate) rows: Vec<Row>,
}

#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) kind: &'static str,
    pub(crate) tone: &'static str,
    pub(crate) badge: String,
    pub(crate) consumers: String,
    pub(crate) targets: String,
}

#[derive(Default)]
struct Ways<'a> {
    kind: Option<RouteKind>,
    consumers: BTreeSet<&'a str>,
    targets: BTreeSet<(&'a str, Class)>,
}

impl Routes {
    pub(crate) fn of(snapshot: &Snapshot) -> Self {
        let Ok(state) = &snapshot.killswitch else {
            return Self {
                readable: false,
                rows: Vec::new(),
            };
        };
        let mut routes: BTreeMap<&str, Ways<'_>> = BTreeMap::new();
        for point in &state.points {
            let ways = routes.entry(point.route.as_str()).or_default();
            ways.kind = Some(point.kind);
            ways.consumers.insert(point.consumer.as_str());
            ways.targets.insert((point.target.as_str(), point.class));
        }
        let row = |(name, ways): (&str, Ways<'_>)| {
            let standing = name
                .parse::<Scope>()
                .ok()
                .map(|scope| badge(&state.latches.standing(&scope, &state.points)));
            let (tone, badge) = standing.unwrap_or(("unknown", "unknown".to_owned()));
            Row {
                name: name.to_owned(),
                kind: match ways.kind {
                    Some(RouteKind::Llm) | None => "model",
                    Some(RouteKind::Agent) => "agent",
                    Some(RouteKind::Tool) => "tool",
                },
                tone,
                badge,
                consumers: ways.consumers.into_iter().collect::<Vec<_>>().join(", "),
                targets: targets(ways.targets),
            }
        };
        Self {
            readable: true,
            rows: routes.into_iter().map(row).collect(),
        }
    }
}

fn targets(all: BTreeSet<(&str, Class)>) -> String {
    let each = all.into_iter().map(|(name, class)| match class {
        Class::Local => format!("{name} (local)"),
        Class::Cloud => format!("{name} (cloud)"),
    });
    each.collect::<Vec<_>>().join(", ")
}

/// How a scope stands, as class and word.
pub(crate) fn badge(standing: &Standing<'_>) -> (&'static str, String) {
    match standing {
        Standing::Cut(own) => ("cut", format!("cut {}", own.incident)),
        Standing::Closed(by) => (
            "closed",
            by.first().map_or_else(
                || "closed".to_owned(),
                |it| format!("closed by {}", it.scope),
            ),
        ),
        Standing::Partly(_) => ("warn", "partly".to_owned()),
        Standing::Open => ("good", "open".to_owned()),
    }
}
