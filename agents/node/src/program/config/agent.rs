//! The section `[agent]`: what this host is called, whom it obeys, which gateways it drives.

use super::super::up;
use gateway_config::DriverWish;
use kill_config::{AgentSection, Reading, Section, read_agent};
use std::path::PathBuf;
use toml::Table;

/// Where the agent keeps what is cut, unless the file says otherwise.
const STATE: &str = "/var/lib/portcullis-agent";

/// Most gateways of one host.
const MOST_GATEWAYS: usize = 16;

/// What the file wants of the hand itself.
#[derive(Debug)]
pub(in crate::program) struct AgentWish {
    /// Name of this host, as receipts and scopes have it.
    pub(in crate::program) name: String,
    /// Folder of all state of this agent.
    pub(in crate::program) state: PathBuf,
    /// Control sockets of the gateways of this host.
    pub(in crate::program) gateways: Vec<PathBuf>,
    /// Gateways of this host that are not ours.
    pub(in crate::program) drivers: Vec<DriverWish>,
    /// What it has in common with the agent of the one-machine program.
    pub(in crate::program) common: AgentSection,
}

pub(super) fn read(section: Option<Section<'_>>, reading: &mut Reading<'_>) -> AgentWish {
    let absent = || Section::root(Table::new(), reading.problems);
    let mut section = section.unwrap_or_else(absent);
    let name = name(&mut section);
    let state = section.text("state", "the path of a folder");
    let sockets = "a list of paths, each the control socket of a gateway";
    let mut gateways = section.texts("gateways", sockets).unwrap_or_default();
    if gateways.len() > MOST_GATEWAYS {
        let text = format!("{} entries; at most {MOST_GATEWAYS}", gateways.len());
        section.note("gateways", &text);
        gateways.clear();
    }
    let folder = reading.folder.to_owned();
    let state = folder.join(state.as_deref().unwrap_or(STATE));
    if !section.has("killswitch_keys") && !up::has_joined(&state) {
        section.missing(
            "killswitch_keys",
            "a list of files, each with the public key of a kill switch; or let this host join a house: node-agent join",
        );
    }
    let drivers = gateway_config::drivers(&mut section, reading);
    AgentWish {
        name,
        drivers,
        state,
        gateways: gateways.iter().map(|path| folder.join(path)).collect(),
        common: read_agent(Some(section), reading),
    }
}

/// The host's own name unless the file gives one: letters, digits, `.`, `_`, `-`, as scopes are spelled.
fn name(section: &mut Section<'_>) -> String {
    const EXPECTED: &str = "a name: 1 to 24 of a-z, 0-9, `.`, `_`, `-`, starting with a letter";
    if let Some(name) = section.parse::<kill_wire::Name>("name", EXPECTED) {
        return name.to_string();
    }
    let system = rustix::system::uname();
    system
        .nodename()
        .to_string_lossy()
        .chars()
        .take(64)
        .collect()
}
