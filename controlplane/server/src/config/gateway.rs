//! The section `[gateway]`: targets, routes, consumers, and the rules they live by.

mod front;
mod operating;
mod rules;

use gateway::{Front, Operating};
pub(crate) use gateway_config::Fallback;
use gateway_config::{DriverWish, Keys, WantedWish, Ways, ways};
use kill_config::{Problem, Problems, Reading, Section, listen, loopback};
use kill_wire::{Class, Name};
use net_model::{KeyHash, RouteTable, Rules, Target};
use std::net::SocketAddr;

/// What the file wants of the gateway. What it leaves out comes from a [`Fallback`].
#[derive(Debug)]
pub(crate) struct GatewaySection {
    /// Where it listens.
    pub(crate) listen: SocketAddr,
    ways: Ways,
    rules: Rules,
    front: Front,
    operating: Operating,
}

impl GatewaySection {
    /// Whether the file says where requests go.
    pub(crate) const fn has_targets(&self) -> bool {
        self.ways.has_targets()
    }

    /// What scopes are called: routes and consumers, also those that are built in.
    pub(crate) fn names(&self) -> Vec<Name> {
        self.ways.names()
    }

    /// How many targets, routes and consumers the file names.
    pub(crate) const fn counts(&self) -> (usize, usize, usize) {
        self.ways.counts()
    }

    /// Whether the file says who may ask.
    pub(crate) const fn has_consumers(&self) -> bool {
        self.ways.has_consumers()
    }

    /// Whether the consumer that first start made is in force.
    pub(crate) fn has_built_in_consumer(&self) -> bool {
        self.ways.has_built_in_consumer()
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

    /// What the gateways shall do that this host manages; none where it manages none, or a mistake was noted.
    pub(crate) fn wanted(&self, drivers: &[DriverWish], problems: &Problems) -> Option<WantedWish> {
        if gateway_config::keys(drivers) == Keys::Hashed {
            return None;
        }
        let zone = gateway_config::zone(self.rules.time_zone.as_deref());
        let zone = problems.take("gateway.time_zone", zone)?;
        WantedWish::of(&self.ways, zone, &self.rules.limits, problems)
    }

    /// The route table: what the file says, the rest from `fallback`.
    pub(crate) fn table(&self, fallback: &Fallback) -> Result<RouteTable, Vec<Problem>> {
        self.ways.table(fallback)
    }
}

/// Adds the consumers that the control plane keeps, with their own limits and budgets.
fn beside(
    mut kept: Section<'_>,
    ways: &mut Option<Ways>,
    rules: &mut Option<Rules>,
    reading: &mut Reading<'_>,
    keys: Keys,
) -> Option<()> {
    let problems = reading.problems;
    let limits = gateway_config::limits(&mut kept, problems);
    let budgets = rules::budgets(&mut kept, problems);
    let fine = ways.as_mut()?.keep(&mut kept, reading, keys);
    kept.finish();
    let rules = rules.as_mut()?;
    rules.limits.extend(limits?);
    rules.budgets.extend(budgets?);
    fine
}

/// Reads the section; `None` when a problem was noted that leaves it unusable.
pub(super) fn read(
    section: Option<Section<'_>>,
    kept: Option<Section<'_>>,
    reading: &mut Reading<'_>,
    keys: Keys,
) -> Option<GatewaySection> {
    if section.is_none() && kept.is_none() {
        return Some(GatewaySection {
            listen: loopback(7412),
            ways: Ways::default(),
            rules: Rules::default(),
            front: Front::default(),
            operating: Operating::default(),
        });
    }
    let problems = reading.problems;
    let mut section = section.unwrap_or_else(|| Section::root(toml::Table::new(), problems));
    let listen = listen(&mut section, 7412);
    let mut ways = ways(&mut section, reading, keys);
    let mut rules = rules::rules(&mut section, problems);
    if let Some(kept) = kept {
        beside(kept, &mut ways, &mut rules, reading, keys)?;
    }
    let front = front::front(&mut section, reading.folder);
    let operating = operating::operating(&mut section, reading.folder);
    section.finish();
    let wish = GatewaySection {
        listen,
        ways: ways?,
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
        Ok(table) => gateway_config::check_names(&wish.rules, &table, problems).then_some(wish),
        Err(found) => {
            found.into_iter().for_each(|problem| problems.note(problem));
            None
        }
    }
}
