//! The routes that each of these gateways has.

use anyhow::anyhow;
use gateways::Wanted;
use kill_wire::{Class, RouteKind};
use net_model::{Consumer, ModelPattern, Route, RouteTable, Secret, Target};
use std::sync::Arc;

/// Each consumer: its name, its key, its route.
pub const KEYS: [(&str, &str, &str); 2] = [
    ("claw", "sk-claw-0123456789abcdef", "chat"),
    ("paw", "sk-paw-0123456789abcdef", "side"),
];

/// Routes, consumers and the one target.
pub(super) fn table(base_url: &str) -> anyhow::Result<RouteTable> {
    let target = Target::new("box".parse()?, Class::Local, base_url.parse()?);
    let (mut routes, mut consumers) = (Vec::new(), Vec::new());
    for (at, (name, key, route)) in KEYS.into_iter().enumerate() {
        routes.push(Route {
            name: route.parse()?,
            kind: RouteKind::Llm,
            models: ModelPattern::new("*").into_iter().collect(),
            targets: vec![0],
        });
        consumers.push(Consumer::new(
            name.parse()?,
            Secret::new(key)?.hash(),
            vec![at],
        ));
    }
    RouteTable::new(vec![target], routes, consumers).map_err(|why| anyhow!("{why:?}"))
}

/// The same for a gateway that keeps its routes itself.
///
/// # Errors
/// When `base_url` is none.
pub fn wanted(base_url: &str) -> anyhow::Result<Wanted> {
    let mut wanted = Wanted {
        table: Arc::new(table(base_url)?),
        leads: vec![Some(0); KEYS.len()],
        ..Wanted::default()
    };
    for (name, key, _) in KEYS {
        wanted.keys.insert(name.parse()?, Secret::new(key)?);
    }
    Ok(wanted)
}
