//! The configuration: one TOML file, read whole, every problem reported at once.

pub(crate) mod check;
mod gateway;
mod killswitch;
mod listen;
mod secret_file;
mod walk;

pub(crate) use gateway::{Fallback, GatewaySection};
pub(crate) use killswitch::{KillSwitchSection, LOCAL_CHANNEL, channel};

use crate::{paths::Part, trouble::BadConfig};
use agent_core::OnSilence;
use listen::{listen, loopback};
use net_model::Problem;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use walk::{Problems, Section};

/// Largest accepted file in bytes.
const MAX_BYTES: u64 = 1024 * 1024;

/// Everything the file says, checked; what it leaves out has its default.
#[derive(Debug)]
pub(crate) struct Config {
    /// The file; `None` when the built-in values hold.
    pub(crate) file: Option<PathBuf>,
    /// Where dashboard and API listen.
    pub(crate) controlplane: SocketAddr,
    /// Names besides `localhost` under which a browser may call the dashboard.
    pub(crate) hosts: Vec<String>,
    /// The kill switch.
    pub(crate) killswitch: KillSwitchSection,
    /// Where this host's agent listens.
    pub(crate) agent: SocketAddr,
    /// What the agent does when the kill switch is silent.
    pub(crate) on_silence: OnSilence,
    /// The gateway.
    pub(crate) gateway: GatewaySection,
    /// Sections that the file has.
    pub(crate) named: BTreeSet<Part>,
    /// What works but should be looked at.
    pub(crate) warnings: Vec<Problem>,
}

/// The file to read: the one asked for, else `portcullis.toml` if it is there.
pub(crate) fn file(asked: Option<&Path>) -> Option<PathBuf> {
    let default = Path::new("portcullis.toml");
    match asked {
        Some(path) => Some(path.to_owned()),
        None => default.exists().then(|| default.to_owned()),
    }
}

/// Reads the file, or takes the built-in values when there is none.
pub(crate) fn read(file: Option<&Path>) -> Result<Config, BadConfig> {
    let bad = |problems| BadConfig {
        file: file.map(Path::to_owned),
        problems,
    };
    let (text, folder) = match file {
        None => (String::new(), Path::new("")),
        Some(path) => {
            let text = read_text(path).map_err(|why| bad(vec![Problem::new("file", why)]))?;
            (text, path.parent().unwrap_or_else(|| Path::new("")))
        }
    };
    let mut config = parse(&text, folder).map_err(bad)?;
    config.file = file.map(Path::to_owned);
    Ok(config)
}

fn read_text(path: &Path) -> Result<String, String> {
    use std::io::Read as _;
    let opened = std::fs::File::open(path).map_err(|why| format!("cannot be read: {why}"))?;
    let mut text = String::new();
    let read = opened.take(MAX_BYTES + 1).read_to_string(&mut text);
    let length = read.map_err(|why| format!("cannot be read: {why}"))?;
    if u64::try_from(length).is_ok_and(|length| length <= MAX_BYTES) {
        Ok(text)
    } else {
        Err(format!("longer than {MAX_BYTES} bytes"))
    }
}

/// Parses `text`; relative paths in it start from `folder`.
pub(crate) fn parse(text: &str, folder: &Path) -> Result<Config, Vec<Problem>> {
    let table: toml::Table = text.parse().map_err(|why: toml::de::Error| {
        let line = why.span().map_or(1, |span| 1 + newlines(text, span.start));
        vec![Problem::new(format!("line {line}"), why.message())]
    })?;
    let problems = Problems::default();
    let mut warnings = Vec::new();
    let mut root = Section::root(table, &problems);
    let mut named = BTreeSet::new();
    let mut part = |part: Part| {
        let section = root.section(part.name());
        if section.is_some() {
            named.insert(part);
        }
        section
    };
    let controlplane = part(Part::Controlplane);
    let killswitch = part(Part::Killswitch);
    let agent = part(Part::Agent);
    let gateway = part(Part::Gateway);
    root.finish();
    let (controlplane, hosts) = read_controlplane(controlplane, &problems);
    let killswitch = killswitch::read(killswitch, folder, &problems, &mut warnings);
    let (agent, on_silence) = read_agent(agent, &problems);
    let gateway = gateway::read(gateway, folder, &problems, &mut warnings);
    if !controlplane.ip().is_loopback() {
        let text = format!(
            "`{controlplane}` is not a loopback address and the dashboard speaks plain HTTP; put a TLS proxy in front"
        );
        warnings.push(Problem::new("controlplane.listen", text));
    }
    let mut problems = problems.into_vec();
    match (problems.is_empty(), killswitch, gateway) {
        (true, Some(killswitch), Some(gateway)) => Ok(Config {
            file: None,
            controlplane,
            hosts,
            killswitch,
            agent,
            on_silence,
            gateway,
            named,
            warnings,
        }),
        _ => {
            problems.sort_by(|a, b| a.key.cmp(&b.key));
            Err(problems)
        }
    }
}

fn read_controlplane(
    section: Option<Section<'_>>,
    problems: &Problems,
) -> (SocketAddr, Vec<String>) {
    let Some(mut section) = section else {
        return (loopback(7410), Vec::new());
    };
    let listen = listen(&mut section, 7410);
    let key = section.key("hosts");
    let hosts = section.texts(
        "hosts",
        "a list of host names, such as [\"portcullis.lan\"]",
    );
    let hosts = hosts.unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    for (at, host) in hosts.iter().enumerate() {
        if host.is_empty() || host.len() > 253 || !host.chars().all(plain) {
            let short: String = host.chars().take(60).collect();
            let text =
                format!("`{short}` is not a host name without port, such as `portcullis.lan`");
            problems.note(Problem::new(format!("{key}[{at}]"), text));
        }
    }
    section.finish();
    (listen, hosts)
}

fn read_agent(section: Option<Section<'_>>, problems: &Problems) -> (SocketAddr, OnSilence) {
    let Some(mut section) = section else {
        return (loopback(7413), OnSilence::Cut);
    };
    let listen = listen(&mut section, 7413);
    let key = section.key("on_silence");
    let on_silence = match section.text("on_silence", "`cut` or `hold`").as_deref() {
        None | Some("cut") => OnSilence::Cut,
        Some("hold") => OnSilence::Hold,
        Some(other) => {
            let text = format!("`{other}` is not `cut` or `hold`");
            problems.note(Problem::new(key, text));
            OnSilence::Cut
        }
    };
    section.finish();
    (listen, on_silence)
}

fn newlines(text: &str, until: usize) -> usize {
    text.bytes()
        .take(until)
        .filter(|byte| *byte == b'\n')
        .count()
}

#[cfg(test)]
mod tests;
