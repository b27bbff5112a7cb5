//! The section `[killswitch]`: where it listens, whom it orders, who may text it, where it looks.

use crate::channel::{self, ChannelWish, LOCAL_CHANNEL, Reader};
use crate::listen::{ADDRESS, listen};
use crate::problem::Problem;
use crate::secret::Secret;
use crate::secret_file;
use crate::walk::{Problems, Section};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use toml::Table;

/// Most channels, agents or vantages.
const MAX_ENTRIES: usize = 64;

/// Longest path of a unix socket (`sun_path` of unix(7), without the closing zero).
const SOCKET_PATH_MAX: usize = 107;

/// What the file wants of the kill switch.
#[derive(Debug)]
pub struct KillSwitchSection {
    /// Where webhooks arrive.
    pub listen: SocketAddr,
    /// Agents to order; empty: the one of this process.
    pub agents: Vec<SocketAddr>,
    /// Channels beside `local`.
    pub channels: Vec<ChannelWish>,
    /// Where the courier's socket stands; none: in the state folder.
    pub courier_socket: Option<PathBuf>,
    /// The group of the courier's socket may open it too.
    pub courier_group: bool,
    /// Where probes go; empty: the gateway of this process.
    pub vantages: Vec<VantageWish>,
}

impl KillSwitchSection {
    /// Hands over channels and keys; what stays is what a later reading is compared with.
    #[must_use]
    pub fn take(&mut self) -> Self {
        Self {
            listen: self.listen,
            agents: self.agents.clone(),
            channels: std::mem::take(&mut self.channels),
            courier_socket: self.courier_socket.clone(),
            courier_group: self.courier_group,
            vantages: std::mem::take(&mut self.vantages),
        }
    }
}

/// A gateway to probe.
#[derive(Debug)]
pub struct VantageWish {
    /// Its data listener.
    pub gateway: SocketAddr,
    /// Its probe key; none when the kill switch does not read.
    pub key: Option<Secret>,
}

/// What the reading of one section needs all along.
#[derive(Debug)]
pub struct Reading<'r> {
    /// Who reads.
    pub reader: Reader,
    /// Relative paths start here.
    pub folder: &'r Path,
    /// What is wrong.
    pub problems: &'r Problems,
    /// What works but should be looked at.
    pub warnings: &'r mut Vec<Problem>,
}

/// Reads the section; `None` when a problem was noted that leaves it unusable.
pub fn read(section: Option<Section<'_>>, reading: &mut Reading<'_>) -> Option<KillSwitchSection> {
    let absent = || Section::root(Table::new(), reading.problems);
    let mut section = section.unwrap_or_else(absent);
    let listen = listen(&mut section, 7411);
    let agents = agents(&mut section, reading.problems);
    let channels = channels(&mut section, reading);
    let vantages: Vec<_> = section
        .sections("vantages")
        .into_iter()
        .map(|entry| vantage(entry, reading))
        .collect();
    for (what, count) in [("channels", channels.len()), ("vantages", vantages.len())] {
        if count > MAX_ENTRIES {
            let text = format!("{count} entries; at most {MAX_ENTRIES}");
            section.note(what, &text);
        }
    }
    let courier_socket = socket(&mut section);
    let courier_group = section.flag("courier_group").unwrap_or(false);
    section.finish();
    Some(KillSwitchSection {
        listen,
        agents,
        courier_socket,
        courier_group,
        channels: channels.into_iter().collect::<Option<_>>()?,
        vantages: vantages.into_iter().collect::<Option<_>>()?,
    })
}

fn socket(section: &mut Section<'_>) -> Option<PathBuf> {
    const EXPECTED: &str = "an absolute path of at most 107 bytes";
    let path = PathBuf::from(section.text("courier_socket", EXPECTED)?);
    if path.is_absolute() && path.as_os_str().len() <= SOCKET_PATH_MAX {
        return Some(path);
    }
    let text = format!("`{}` is not {EXPECTED}", path.display());
    section.note("courier_socket", &text);
    None
}

fn channels(section: &mut Section<'_>, reading: &mut Reading<'_>) -> Vec<Option<ChannelWish>> {
    let mut channels: Vec<Option<ChannelWish>> = Vec::new();
    for entry in section.sections("channels") {
        let key = entry.key("name");
        let made = channel::read(entry, reading);
        if let Some(made) = &made {
            let name = &made.courier.name;
            let mut others = channels.iter().flatten();
            if name == LOCAL_CHANNEL || others.any(|other| other.courier.name == *name) {
                let text = format!("a channel `{name}` is there already; choose another name");
                reading.problems.note(Problem::new(key, text));
            }
        }
        channels.push(made);
    }
    channels
}

fn agents(section: &mut Section<'_>, problems: &Problems) -> Vec<SocketAddr> {
    let key = section.key("agents");
    let texts = section.texts(
        "agents",
        "a list of literal addresses, such as [\"127.0.0.1:7413\"]",
    );
    let texts = texts.unwrap_or_default();
    if texts.len() > MAX_ENTRIES {
        let text = format!("{} entries; at most {MAX_ENTRIES}", texts.len());
        problems.note(Problem::new(key, text));
        return Vec::new();
    }
    let mut agents = Vec::new();
    for (at, text) in texts.iter().enumerate() {
        let short: String = text.chars().take(60).collect();
        let key = format!("{key}[{at}]");
        let parsed = text.parse::<SocketAddr>();
        match parsed {
            Ok(address) if address.port() == 0 => problems.note(Problem::new(
                key,
                format!("`{short}` has no port; an agent is reached at a fixed one"),
            )),
            Ok(address) => agents.push(address),
            Err(_) => problems.note(Problem::new(
                key,
                format!("`{short}` is not {ADDRESS}; the kill switch asks no DNS"),
            )),
        }
    }
    agents
}

fn vantage(mut section: Section<'_>, reading: &mut Reading<'_>) -> Option<VantageWish> {
    let gateway = section.need_parsed::<SocketAddr>("gateway", ADDRESS);
    let key = section.key("probe_key_file");
    let file = section.need(
        "probe_key_file",
        "the path of a file with that gateway's probe key",
    );
    section.finish();
    let path = reading.folder.join(file?);
    let secret = if reading.reader.channels {
        let read = secret_file::read(&key, &path, reading.warnings);
        Some(reading.problems.take(&key, read)?)
    } else {
        None
    };
    Some(VantageWish {
        gateway: gateway?,
        key: secret,
    })
}
