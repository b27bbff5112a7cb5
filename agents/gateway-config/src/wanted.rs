//! What the gateways that a host manages shall do, as the file of that host has it: `[gateway]` with targets, routes,
//! consumers, limits and the time zone of policies, and nothing else.

use crate::{Fallback, Keys, Ways, check_names, limits, ways};
use gateway_core::choice::{Zone, zone};
use gateway_core::steer::first_choices;
use kill_config::{Problem, Problems, Reading, Section};
use kill_wire::{Class, Name};
use net_model::{KeyHash, Limit, RouteTable, Rules, Secret, Target};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What gateways that a host manages shall do.
#[derive(Clone, Debug)]
pub struct WantedWish {
    /// Routes, targets and consumers.
    pub table: Arc<RouteTable>,
    /// The consumers' keys, by name.
    pub keys: BTreeMap<Name, Secret>,
    /// Limits that gateways hold themselves.
    pub limits: Vec<Limit>,
    /// Where the hours of policies count.
    pub zone: Zone,
}

impl WantedWish {
    /// Of what a file names; nothing is built in.
    ///
    /// Notes every mistake: a gateway that is managed with nothing would lose all its routes.
    #[must_use]
    pub fn of(ways: &Ways, zone: Zone, limits: &[Limit], problems: &Problems) -> Option<Self> {
        let mut there = true;
        for (key, named) in [
            ("targets", ways.has_targets()),
            ("consumers", ways.has_consumers()),
        ] {
            if !named {
                let text = format!(
                    "missing; a driver has `manage = true` and nothing to manage: write at least one [[gateway.{key}]], or `manage = false`"
                );
                problems.note(Problem::new(format!("gateway.{key}"), text));
                there = false;
            }
        }
        let table = ways.table(&nobody()?);
        match table {
            Ok(table) => there.then(|| Self {
                table: Arc::new(table),
                keys: ways.keys(),
                limits: limits.to_vec(),
                zone,
            }),
            Err(found) => {
                found.into_iter().for_each(|problem| problems.note(problem));
                None
            }
        }
    }
}

impl WantedWish {
    /// For each route its first choice, by their names: who else answers there does so in its place.
    #[must_use]
    pub fn first_choices(&self) -> BTreeMap<Name, Name> {
        first_choices(&self.table)
    }
}

/// Stands in for names that are missing, so that the others are still held against each other.
fn nobody() -> Option<Fallback> {
    Some(Fallback {
        target: Target::new(
            "ollama".parse().ok()?,
            Class::Local,
            "http://127.0.0.1:11434/v1".parse().ok()?,
        ),
        key: KeyHash::of(b""),
    })
}

/// Reads the section `[gateway]` of an agent's file; `None` where no gateway is managed, or a mistake was noted.
pub fn read_wanted(
    section: Option<Section<'_>>,
    managed: bool,
    reading: &mut Reading<'_>,
) -> Option<WantedWish> {
    let keys = if managed {
        Keys::Themselves
    } else {
        Keys::Hashed
    };
    let problems = reading.problems;
    let Some(mut section) = section else {
        // Says what is missing.
        return managed
            .then(|| WantedWish::of(&Ways::default(), Zone::UTC, &[], problems))
            .flatten();
    };
    let name = section.text("time_zone", "a time zone, such as `Europe/Berlin`");
    let zone = problems.take(&section.key("time_zone"), zone(name.as_deref()));
    let ways = ways(&mut section, reading, keys);
    let limits = limits(&mut section, problems);
    if !managed {
        section.note("targets", "no driver of this host has `manage = true`, so that nothing here holds; write it at one, or leave [gateway] out");
    }
    section.finish();
    let wish = WantedWish::of(&ways?, zone?, &limits?, problems)?;
    let rules = Rules {
        limits: wish.limits.clone(),
        ..Rules::default()
    };
    check_names(&rules, &wish.table, problems).then_some(wish)
}
