//! The section `[killswitch]`: where it listens, whom it orders, who may text it, where it looks.

use super::listen::{ADDRESS, listen, loopback};
use super::secret_file;
use super::walk::{Problems, Section};
use kill_inbound::{Channel, Options};
use net_model::{Problem, Secret};
use std::net::SocketAddr;
use std::path::Path;

/// The channel that is always there; its secret is made at first start.
pub(crate) const LOCAL_CHANNEL: &str = "local";

/// Most channels, agents or vantages.
const MAX_ENTRIES: usize = 64;

/// What the file wants of the kill switch.
#[derive(Debug)]
pub(crate) struct KillSwitchSection {
    /// Where webhooks arrive.
    pub(crate) listen: SocketAddr,
    /// Agents to order; empty: the one of this process.
    pub(crate) agents: Vec<SocketAddr>,
    /// Channels beside `local`.
    pub(crate) channels: Vec<Channel>,
    /// Where probes go; empty: the gateway of this process.
    pub(crate) vantages: Vec<VantageWish>,
}

/// A gateway to probe.
#[derive(Debug)]
pub(crate) struct VantageWish {
    /// Its data listener.
    pub(crate) gateway: SocketAddr,
    /// Its probe key.
    pub(crate) key: Secret,
}

/// Reads the section; `None` when a problem was noted that leaves it unusable.
pub(super) fn read(
    section: Option<Section<'_>>,
    folder: &Path,
    problems: &Problems,
    warnings: &mut Vec<Problem>,
) -> Option<KillSwitchSection> {
    let Some(mut section) = section else {
        return Some(KillSwitchSection {
            listen: loopback(7411),
            agents: Vec::new(),
            channels: Vec::new(),
            vantages: Vec::new(),
        });
    };
    let listen = listen(&mut section, 7411);
    let agents = agents(&mut section, problems);
    let mut channels: Vec<Option<Channel>> = Vec::new();
    for entry in section.sections("channels") {
        let key = entry.key("name");
        let made = wish(entry, folder, problems, warnings);
        if let Some(made) = &made {
            let twin =
                |other: &Option<Channel>| other.as_ref().is_some_and(|o| o.name() == made.name());
            if made.name() == LOCAL_CHANNEL || channels.iter().any(twin) {
                let text = format!(
                    "a channel `{}` is there already; choose another name",
                    made.name()
                );
                problems.note(Problem::new(key, text));
            }
        }
        channels.push(made);
    }
    let vantages: Vec<_> = section
        .sections("vantages")
        .into_iter()
        .map(|entry| vantage(entry, folder, problems, warnings))
        .collect();
    for (what, count) in [("channels", channels.len()), ("vantages", vantages.len())] {
        if count > MAX_ENTRIES {
            let text = format!("{count} entries; at most {MAX_ENTRIES}");
            problems.note(Problem::new(section.key(what), text));
        }
    }
    section.finish();
    Some(KillSwitchSection {
        listen,
        agents,
        channels: channels.into_iter().collect::<Option<_>>()?,
        vantages: vantages.into_iter().collect::<Option<_>>()?,
    })
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

/// A kind there is, told even where the rest of the channel cannot be made.
fn known_kind(section: &mut Section<'_>, problems: &Problems) -> Option<String> {
    let key = section.key("kind");
    let kind = section.need("kind", "`twilio` or `standard-webhooks`")?;
    if Channel::KINDS.contains(&kind.as_str()) {
        return Some(kind);
    }
    let short: String = kind.chars().take(60).collect();
    let kinds = Channel::KINDS.join("` or `");
    problems.note(Problem::new(key, format!("`{short}` is not `{kinds}`")));
    None
}

fn wish(
    mut section: Section<'_>,
    folder: &Path,
    problems: &Problems,
    warnings: &mut Vec<Problem>,
) -> Option<Channel> {
    let at = section.key("name");
    let name = section.need(
        "name",
        "a name, such as `twilio`; it ends the path /v1/inbound/NAME",
    );
    let kind = known_kind(&mut section, problems);
    let public_url = section.text("public_url", "the URL as the provider calls it");
    let mut secret = |section: &mut Section<'_>, name: &'static str| {
        let key = section.key(name);
        let path = section.text(name, "the path of a file with the channel's secret")?;
        Some(problems.take(&key, secret_file::read(&key, &folder.join(path), warnings)))
    };
    let has_secret = section.has("secret_file");
    let first = secret(&mut section, "secret_file");
    let next = secret(&mut section, "next_secret_file");
    if !has_secret {
        section.missing(
            "secret_file",
            "the path of a file with the channel's secret",
        );
    }
    section.finish();
    let mut secrets = vec![first??];
    if let Some(next) = next {
        secrets.push(next?);
    }
    let (name, kind) = (name?, kind?);
    problems.take(&at, channel(&name, &kind, public_url, &secrets))
}

fn vantage(
    mut section: Section<'_>,
    folder: &Path,
    problems: &Problems,
    warnings: &mut Vec<Problem>,
) -> Option<VantageWish> {
    let gateway = section.need_parsed::<SocketAddr>("gateway", ADDRESS);
    let key = section.key("probe_key_file");
    let file = section.need(
        "probe_key_file",
        "the path of a file with that gateway's probe key",
    );
    section.finish();
    let path = folder.join(file?);
    let secret = problems.take(&key, secret_file::read(&key, &path, warnings));
    Some(VantageWish {
        gateway: gateway?,
        key: secret?,
    })
}

/// Makes a channel; what is wrong with it comes back in words.
pub(crate) fn channel(
    name: &str,
    kind: &str,
    public_url: Option<String>,
    secrets: &[Secret],
) -> Result<Channel, String> {
    let secrets = secrets
        .iter()
        .map(|secret| secret.expose().to_owned())
        .collect();
    Channel::new(
        name,
        kind,
        Options {
            public_url,
            secrets,
            ..Options::default()
        },
    )
}
