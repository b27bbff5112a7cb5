//! The section `[killswitch]`: where it listens, whom it orders, who may text it, where it looks.

use crate::channel::{self, ChannelWish, LOCAL_CHANNEL};
use crate::house::{self, DirectWish, PeerWish};
use crate::listen::listen;
use crate::problem::Problem;
use crate::reading::{MAX_ENTRIES, Reading, addresses};
use crate::rules;
use crate::vantage::{VantageWish, vantage};
use crate::walk::Section;
use kill_core::Rules;
use kill_wire::{Name, NotAName};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use toml::Table;

/// Longest path of a unix socket (`sun_path` of unix(7), without the closing zero).
const SOCKET_PATH_MAX: usize = 107;

/// Most names of zones and hosts.
const MOST_SCOPES: usize = 256;

/// What the file wants of the kill switch.
#[derive(Debug)]
pub struct KillSwitchSection {
    /// Where webhooks arrive.
    pub listen: SocketAddr,
    /// Agents to order; empty: the one of this process.
    pub agents: Vec<SocketAddr>,
    /// Channels beside `local`.
    pub channels: Vec<ChannelWish>,
    /// Where probes go; empty: the gateway of this process.
    pub vantages: Vec<VantageWish>,
    /// Who must agree to what.
    pub rules: Rules,
    /// How often a drill is held by itself, in milliseconds.
    pub drill_every_ms: Option<u64>,
    /// After how long a channel that brings nothing is called silent, in milliseconds.
    pub silent_after_ms: Option<u64>,
    /// Which of several kill switches this is, 0 to 3; none when it is the only one.
    pub instance: Option<u8>,
    /// The others.
    pub peers: Vec<PeerWish>,
    /// Ways past the gateways that a cut must have closed.
    pub direct: Vec<DirectWish>,
    /// Files with certificates whose end is to be warned of.
    pub certificates: Vec<PathBuf>,
    /// Names that a command may use besides routes and consumers: zones and hosts that fences close.
    pub scopes: Vec<Name>,
    /// Where the sockets stand.
    pub sockets: Sockets,
}

/// Where the sockets stand, for programs of other users.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sockets {
    /// The courier's; none: in the state folder.
    pub courier: Option<PathBuf>,
    /// The group of that file may open it too.
    pub courier_group: bool,
    /// The lever's; none: in the state folder.
    pub lever: Option<PathBuf>,
    /// The group of that file may open it too, and so cut without a code.
    pub lever_group: bool,
}

impl KillSwitchSection {
    /// Hands over everything; what stays is what a later reading is compared with.
    #[must_use]
    pub fn take(&mut self) -> Self {
        let left = Self {
            listen: self.listen,
            agents: self.agents.clone(),
            channels: Vec::new(),
            vantages: Vec::new(),
            rules: self.rules.clone(),
            drill_every_ms: self.drill_every_ms,
            silent_after_ms: self.silent_after_ms,
            instance: self.instance,
            peers: self.peers.clone(),
            direct: self.direct.clone(),
            certificates: self.certificates.clone(),
            scopes: self.scopes.clone(),
            sockets: self.sockets.clone(),
        };
        std::mem::replace(self, left)
    }
}

/// Reads the section; `None` when a problem was noted that leaves it unusable.
pub fn read(section: Option<Section<'_>>, reading: &mut Reading<'_>) -> Option<KillSwitchSection> {
    let absent = || Section::root(Table::new(), reading.problems);
    let mut section = section.unwrap_or_else(absent);
    let listen = listen(&mut section, 7411);
    let agents = addresses(&mut section, "agents", reading.problems);
    let channels = channels(&mut section, reading);
    let vantages = vantages(&mut section, reading);
    let peers = list(&mut section, "peers", |entry| house::peer(entry, reading));
    let direct = list(&mut section, "direct", house::direct);
    let rules = rules::read(&mut section);
    let drill_every = section.span("drill_every", 3600..=366 * 86_400);
    let silent_after = section.span("silent_after", 3600..=3660 * 86_400);
    let instance = section.number("instance", 0..=3);
    let certificates = section.texts("certificates", "a list of files with certificates");
    let certificates = certificates.unwrap_or_default();
    let scopes = scopes(&mut section);
    let sockets = Sockets {
        courier: socket(&mut section, "courier_socket"),
        courier_group: section.flag("courier_group").unwrap_or(false),
        lever: socket(&mut section, "lever_socket"),
        lever_group: section.flag("lever_group").unwrap_or(false),
    };
    if peers.as_ref().is_some_and(|peers| !peers.is_empty()) && instance.is_none() {
        section.missing(
            "instance",
            "a number from 0 to 3, another at each kill switch",
        );
    }
    section.finish();
    Some(KillSwitchSection {
        listen,
        agents,
        channels: channels?,
        vantages: vantages?,
        rules,
        drill_every_ms: drill_every.map(|seconds| seconds * 1000),
        silent_after_ms: silent_after.map(|seconds| seconds * 1000),
        instance: instance.and_then(|n| u8::try_from(n).ok()),
        peers: peers?,
        direct: direct?,
        certificates: certificates
            .iter()
            .map(|file| reading.folder.join(file))
            .collect(),
        scopes,
        sockets,
    })
}

/// Names of zones and hosts.
fn scopes(section: &mut Section<'_>) -> Vec<Name> {
    const EXPECTED: &str = "a list of names of zones and hosts, such as [\"red-zone\", \"claw1\"]";
    let words = section.texts("scopes", EXPECTED).unwrap_or_default();
    if words.len() > MOST_SCOPES {
        let text = format!("{} entries; at most {MOST_SCOPES}", words.len());
        section.note("scopes", &text);
        return Vec::new();
    }
    let mut names = Vec::new();
    for word in &words {
        match word.parse() {
            Ok(name) => names.push(name),
            Err(why) => section.note("scopes", &NotAName::to_string(&why)),
        }
    }
    names
}

/// The names of the sections `[zones.NAME]`: each is a scope. What is no name is for whoever reads zones to say.
#[must_use]
pub fn zone_names(file: &Table) -> Vec<Name> {
    let zones = file.get("zones").and_then(toml::Value::as_table);
    let names = zones.into_iter().flat_map(Table::keys);
    names
        .filter_map(|name| name.parse().ok())
        .take(MOST_SCOPES)
        .collect()
}

/// A list of tables, each read by `each`.
fn list<'p, T>(
    section: &mut Section<'p>,
    name: &'static str,
    each: impl FnMut(Section<'p>) -> Option<T>,
) -> Option<Vec<T>> {
    let entries = section.sections(name);
    if entries.len() > MAX_ENTRIES {
        let text = format!("{} entries; at most {MAX_ENTRIES}", entries.len());
        section.note(name, &text);
        return None;
    }
    // All of them, so that every mistake is told.
    let read: Vec<Option<T>> = entries.into_iter().map(each).collect();
    read.into_iter().collect()
}

fn socket(section: &mut Section<'_>, name: &'static str) -> Option<PathBuf> {
    const EXPECTED: &str = "an absolute path of at most 107 bytes";
    let path = PathBuf::from(section.text(name, EXPECTED)?);
    if path.is_absolute() && path.as_os_str().len() <= SOCKET_PATH_MAX {
        return Some(path);
    }
    let text = format!("`{}` is not {EXPECTED}", path.display());
    section.note(name, &text);
    None
}

fn channels(section: &mut Section<'_>, reading: &mut Reading<'_>) -> Option<Vec<ChannelWish>> {
    let mut names = BTreeSet::from([LOCAL_CHANNEL.to_owned()]);
    list(section, "channels", |entry| {
        let key = entry.key("name");
        let made = channel::read(entry, reading)?;
        let name = &made.courier.name;
        if !names.insert(name.clone()) {
            let text = format!("a channel `{name}` is there already; choose another name");
            reading.problems.note(Problem::new(key, text));
        }
        Some(made)
    })
}

/// Each gateway once: what was seen of it is kept by its address.
fn vantages(section: &mut Section<'_>, reading: &mut Reading<'_>) -> Option<Vec<VantageWish>> {
    let mut known = BTreeSet::new();
    list(section, "vantages", |entry| {
        let key = entry.key("gateway");
        let made = vantage(entry, reading)?;
        if !known.insert(made.gateway) {
            let text = "this gateway is there already; give it all its points in one place";
            reading.problems.note(Problem::new(key, text));
        }
        Some(made)
    })
}
