//! The configuration: one TOML file, read whole, every problem reported at once.

mod alerts;
mod changed;
pub(crate) mod check;
mod controlplane;
pub(crate) mod flat;
mod gateway;
mod hosts;
pub(crate) mod kept;
mod mesh;
pub(crate) mod mistakes;
mod named_files;
mod oidc;
mod passkeys;
pub(crate) mod reload;
mod usage_sources;
pub(crate) mod web_edit;
mod zones;

pub(crate) use alerts::JobsSection;
pub(crate) use changed::needs_restart;
pub(crate) use gateway::{Fallback, GatewaySection};
pub(crate) use hosts::HostsSection;
pub(crate) use mesh::MeshSection;
pub(crate) use named_files::named_files;

pub(crate) use usage_sources::{UsageSource, Way};

use crate::paths::{Home, Part};
use gateway_config::{DriverWish, KEPT, WantedWish};
use inventory::AlertRules;
use kill_config::{
    AgentSection, BadConfig, KillSwitchSection, Problem, Problems, Reader, Reading, Section,
};
use kill_wire::GuessBound;
use net_model::Zone;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Everything the file says, checked; what it leaves out has its default.
#[derive(Debug)]
pub(crate) struct Config {
    /// The file; `None` when the built-in values hold.
    pub(crate) file: Option<PathBuf>,
    /// Where dashboard and API listen.
    pub(crate) controlplane: SocketAddr,
    /// Names besides `localhost` under which a browser may call the dashboard.
    pub(crate) hosts: Vec<String>,
    /// Where the dashboard listens besides, at this machine's address on the mesh.
    pub(crate) over_mesh: Option<SocketAddr>,
    /// Gateways that are not ours and tell of their usage.
    pub(crate) usage: Vec<UsageSource>,
    /// The provider that signs people in, where there is one.
    pub(crate) oidc: Option<::oidc::Settings>,
    /// Where passkeys count.
    pub(crate) passkeys: Option<::passkeys::Settings>,
    /// The kill switch.
    pub(crate) killswitch: KillSwitchSection,
    /// This host's agent.
    pub(crate) agent: AgentSection,
    /// Gateways of this host that are not ours.
    pub(crate) drivers: Vec<DriverWish>,
    /// What those that are managed shall do; none where there are none.
    pub(crate) wanted: Option<WantedWish>,
    /// The gateway.
    pub(crate) gateway: GatewaySection,
    /// Where hosts join and report.
    pub(crate) fleet: HostsSection,
    /// Its zones.
    pub(crate) zones: Arc<[Zone]>,
    /// What people are told of.
    pub(crate) alerts: AlertRules,
    /// What runs by the clock.
    pub(crate) jobs: JobsSection,
    /// The mesh network; none where the file has no such section.
    pub(crate) mesh: Option<MeshSection>,
    /// Sections that the file has.
    pub(crate) named: BTreeSet<Part>,
    /// What works but should be looked at.
    pub(crate) warnings: Vec<Problem>,
    /// As it stands in the file.
    pub(crate) raw: toml::Table,
}

/// The file to read: the one asked for, else `portcullis.toml` if it is there.
pub(crate) fn file(asked: Option<&Path>) -> Option<PathBuf> {
    let default = Path::new("portcullis.toml");
    match asked {
        Some(path) => Some(path.to_owned()),
        None => default.exists().then(|| default.to_owned()),
    }
}

/// Reads the file, or takes the built-in values when there is none. Consumers that the control plane keeps are left out:
/// this is for whoever asks where a part listens.
pub(crate) fn read(file: Option<&Path>) -> Result<Config, BadConfig> {
    read_beside(file, toml::Table::new())
}

/// Reads the file and the consumers that the control plane keeps in the data folder.
pub(crate) fn read_whole(file: Option<&Path>, home: &Home) -> Result<Config, BadConfig> {
    let kept = kept::table(&home.consumers()).map_err(|problems| BadConfig {
        file: file.map(Path::to_owned),
        problems,
    })?;
    read_beside(file, kept)
}

/// The file as it stands, unchecked; nothing where there is none.
pub(crate) fn raw(file: Option<&Path>) -> Result<toml::Table, BadConfig> {
    file.map_or_else(|| Ok(toml::Table::new()), kill_config::read_table)
}

fn read_beside(file: Option<&Path>, kept: toml::Table) -> Result<Config, BadConfig> {
    let bad = |problems| BadConfig {
        file: file.map(Path::to_owned),
        problems,
    };
    let (table, folder) = match file {
        None => (toml::Table::new(), Path::new("")),
        Some(path) => {
            let folder = path.parent().unwrap_or_else(|| Path::new(""));
            (kill_config::read_table(path)?, folder)
        }
    };
    let mut config = checked_beside(table.clone(), kept, folder).map_err(bad)?;
    config.file = file.map(Path::to_owned);
    config.raw = table;
    Ok(config)
}

/// What guessing is worth with these rules and the people of this folder, if there are any; too much of it is a bad
/// configuration.
pub(crate) fn guess_bound(config: &Config, home: &Home) -> Result<Option<GuessBound>, BadConfig> {
    let bound = killswitchd::guess_bound(&config.killswitch.rules, &home.part(Part::Killswitch));
    bound.map_err(|problem| BadConfig {
        file: config.file.clone(),
        problems: vec![problem],
    })
}

/// This process is kill switch and courier in one, so that it knows every key of the file.
const READER: Reader = Reader {
    channels: true,
    courier: Some(kill_courier::KNOWS),
};

/// Checks what the file says, with nothing kept beside it.
#[cfg(test)]
fn checked(table: toml::Table, folder: &Path) -> Result<Config, Vec<Problem>> {
    checked_beside(table, toml::Table::new(), folder)
}

/// Checks what the file says, and what is kept beside it; relative paths in it start from `folder`.
pub(crate) fn checked_beside(
    table: toml::Table,
    kept: toml::Table,
    folder: &Path,
) -> Result<Config, Vec<Problem>> {
    let problems = Problems::default();
    let mut warnings = Vec::new();
    let mut root = Section::root(table, &problems);
    let mut named = BTreeSet::new();
    let mut part = |part: Part| {
        let section = root.section(part.name());
        named.extend(section.is_some().then_some(part));
        section
    };
    let controlplane = part(Part::Controlplane);
    let killswitch = part(Part::Killswitch);
    let (agent, gateway) = (part(Part::Agent), part(Part::Gateway));
    let fleet = root.section("hosts");
    let (zones, net) = (root.section("zones"), root.section("mesh"));
    let alerts = alerts::read(root.section("alerts"), &problems);
    let jobs = alerts::read_jobs(root.section("jobs"), &problems);
    root.finish();
    let controlplane = controlplane::read(controlplane, folder, &problems, &mut warnings);
    let fleet = hosts::read(fleet, &problems);
    let mut reading = Reading {
        reader: READER,
        folder,
        problems: &problems,
        warnings: &mut warnings,
    };
    let killswitch = kill_config::read(killswitch, &mut reading);
    let mesh = mesh::read(net, &mut reading);
    controlplane::fits(&controlplane, mesh.as_ref(), &problems);
    let (agent, drivers) = driving(agent, &controlplane.usage, &mut reading);
    let gateway = with_kept(gateway, kept, &mut reading, &drivers);
    let wanted = gateway.as_ref();
    let wanted = wanted.and_then(|gateway| gateway.wanted(&drivers, &problems));
    let taken = gateway.as_ref().map(GatewaySection::names);
    let zones = zones::read(zones, &taken.unwrap_or_default(), &problems);
    let problems = problems.into_sorted();
    match (problems.is_empty(), killswitch, gateway) {
        (true, Some(killswitch), Some(gateway)) => Ok(Config {
            file: None,
            controlplane: controlplane.listen,
            hosts: controlplane.hosts,
            over_mesh: controlplane.over_mesh,
            usage: usage_sources::followed(controlplane.usage, &drivers, wanted.as_ref()),
            oidc: controlplane.oidc,
            passkeys: controlplane.passkeys,
            killswitch,
            agent,
            drivers,
            wanted,
            gateway,
            fleet,
            zones: zones.into(),
            alerts,
            jobs,
            mesh,
            named,
            warnings,
            raw: toml::Table::new(),
        }),
        _ => Err(problems),
    }
}

/// The gateway's section, and what is kept beside the file.
fn with_kept(
    section: Option<Section<'_>>,
    kept: toml::Table,
    reading: &mut Reading<'_>,
    drivers: &[DriverWish],
) -> Option<GatewaySection> {
    let keys = gateway_config::keys(drivers);
    let kept = (!kept.is_empty()).then(|| Section::of_file(KEPT, kept, reading.problems));
    gateway::read(section, kept, reading, keys)
}

/// This host's agent, and the gateways of the host that are not ours.
fn driving(
    section: Option<Section<'_>>,
    usage: &[UsageSource],
    reading: &mut Reading<'_>,
) -> (AgentSection, Vec<DriverWish>) {
    let empty = || Section::root(toml::Table::new(), reading.problems);
    let mut section = section.unwrap_or_else(empty);
    let drivers = gateway_config::drivers(&mut section, reading);
    usage_sources::once(usage, &drivers, reading.problems);
    (kill_config::read_agent(Some(section), reading), drivers)
}

#[cfg(test)]
mod tests;
