//! `[[agent.drivers]]`: the gateways of a host that are not ours, and how each is spoken to.

mod apisix;
mod litellm;
mod nginx;

use crate::{Keys, NAME};
use gateways::{LitellmSettings, NginxSettings};
use kill_config::{ADDRESS, Reading, Section, listed, nearest};
use kill_wire::Name;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Most of one host.
pub const MAX_DRIVERS: usize = 16;
/// Most addresses at which one gateway serves.
const MAX_DATA: usize = 16;

const KINDS: [&str; 3] = ["apisix", "litellm", "nginx"];

/// One gateway that is not ours.
#[derive(Clone, Debug)]
pub struct DriverWish {
    /// What it is called on this host, in receipts, reports and logs.
    pub name: Name,
    /// How it is spoken to.
    pub speaks: Speaks,
}

/// How a gateway is spoken to, by its kind.
#[derive(Clone, Debug)]
pub enum Speaks {
    /// Apache APISIX, over its admin API.
    Apisix(gateways::apisix::Settings),
    /// A LiteLLM proxy, over its own API.
    Litellm(LitellmSettings),
    /// nginx, by a file that it includes.
    Nginx(NginxSettings),
}

impl Speaks {
    /// The kind, as the file says it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Apisix(_) => "apisix",
            Self::Litellm(_) => "litellm",
            Self::Nginx(_) => "nginx",
        }
    }
}

impl DriverWish {
    /// Whether this host keeps its routes, too.
    #[must_use]
    pub const fn is_managed(&self) -> bool {
        match &self.speaks {
            Speaks::Apisix(settings) => settings.manage,
            Speaks::Nginx(settings) => settings.manage,
            Speaks::Litellm(_) => false,
        }
    }

    /// Whether it is made to post its usage, a row a call.
    #[must_use]
    pub const fn posts_usage(&self) -> bool {
        match &self.speaks {
            Speaks::Apisix(settings) => settings.besides.usage.is_some(),
            Speaks::Litellm(_) | Speaks::Nginx(_) => false,
        }
    }

    /// Where it tells its counters.
    #[must_use]
    pub const fn metrics(&self) -> Option<SocketAddr> {
        match &self.speaks {
            Speaks::Apisix(settings) => settings.metrics,
            Speaks::Litellm(_) | Speaks::Nginx(_) => None,
        }
    }
}

/// Reads the list out of `[agent]`; what is wrong with one is noted, and leaves it out.
pub fn drivers(section: &mut Section<'_>, reading: &mut Reading<'_>) -> Vec<DriverWish> {
    let entries = section.sections("drivers");
    if entries.len() > MAX_DRIVERS {
        let text = format!("{} entries; at most {MAX_DRIVERS}", entries.len());
        section.note("drivers", &text);
        return Vec::new();
    }
    let mut wishes: Vec<DriverWish> = Vec::new();
    for entry in entries {
        let key = entry.key("name");
        let Some(wish) = driver(entry, reading) else {
            continue;
        };
        if wishes.iter().any(|other| other.name == wish.name) {
            let text = format!(
                "`{}` is there twice; give each a name of its own",
                wish.name
            );
            let problem = kill_config::Problem::new(key, text);
            reading.problems.note(problem);
        }
        wishes.push(wish);
    }
    wishes
}

/// Whether one of these is given consumers' keys.
#[must_use]
pub fn keys(wishes: &[DriverWish]) -> Keys {
    if wishes.iter().any(DriverWish::is_managed) {
        Keys::Themselves
    } else {
        Keys::Hashed
    }
}

fn driver(mut section: Section<'_>, reading: &mut Reading<'_>) -> Option<DriverWish> {
    let expected = format!("one of {}", listed(&KINDS));
    let kind = section.need("kind", &expected)?;
    let name = match section.has("name") {
        true => section.parse::<Name>("name", NAME),
        false => kind.parse().ok(),
    };
    let speaks = match kind.as_str() {
        "apisix" => apisix::read(&mut section, name.as_ref(), reading).map(Speaks::Apisix),
        "litellm" => litellm::read(&mut section, reading).map(Speaks::Litellm),
        "nginx" => nginx::read(&mut section, reading).map(Speaks::Nginx),
        other => {
            let hint = match nearest(other, &KINDS) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("expected {expected}"),
            };
            let short: String = other.chars().take(40).collect();
            section.note("kind", &format!("`{short}` is no kind of driver; {hint}"));
            return None;
        }
    };
    section.finish();
    Some(DriverWish {
        name: name?,
        speaks: speaks?,
    })
}

/// An address with a port.
fn reached(section: &Section<'_>, key: &str, text: &str) -> Option<SocketAddr> {
    let short: String = text.chars().take(60).collect();
    match text.parse::<SocketAddr>() {
        Ok(address) if address.port() == 0 => {
            let text = format!("`{short}` has no port; it is reached at a fixed one");
            section.note(key, &text);
            None
        }
        Ok(address) => Some(address),
        Err(_) => {
            let text =
                format!("`{short}` is not {ADDRESS}; no name is looked up on the way of a cut");
            section.note(key, &text);
            None
        }
    }
}

/// An address that may be left out: `Some(None)` then, `None` when it is wrong.
fn maybe_at(section: &mut Section<'_>, key: &'static str) -> Option<Option<SocketAddr>> {
    match section.text(key, ADDRESS) {
        Some(text) => reached(section, key, &text).map(Some),
        None => Some(None),
    }
}

/// An address that must be there.
fn at(section: &mut Section<'_>, key: &'static str) -> Option<SocketAddr> {
    let text = section.need(key, ADDRESS)?;
    reached(section, key, &text)
}

/// Where a gateway serves: what is probed, and whose streams a cut ends.
fn data(section: &mut Section<'_>) -> Option<Vec<SocketAddr>> {
    let expected = "a list of the gateway's own data ports, such as [\"127.0.0.1:9080\"]";
    let texts = section.need_texts("data", expected)?;
    if texts.is_empty() || texts.len() > MAX_DATA {
        let text = format!(
            "{} entries; expected 1 to {MAX_DATA}: {expected}",
            texts.len()
        );
        section.note("data", &text);
        return None;
    }
    let read = texts.iter().enumerate();
    let read: Vec<_> = read
        .map(|(at, text)| reached(section, &format!("data[{at}]"), text))
        .collect();
    read.into_iter().collect()
}

/// A secret by its file.
fn secret(
    section: &mut Section<'_>,
    key: &'static str,
    whose: &str,
    reading: &mut Reading<'_>,
) -> Option<net_model::Secret> {
    let file = section.need(key, &format!("the path of a file with {whose}"))?;
    let key = section.key(key);
    let read = crate::header_secret(&key, &reading.folder.join(file), reading.warnings);
    reading.problems.take(&key, read)
}

/// A path that must be there; relative ones start at the folder of the file.
fn path(
    section: &mut Section<'_>,
    key: &'static str,
    what: &str,
    folder: &Path,
) -> Option<PathBuf> {
    let text = section.need(key, what)?;
    if text.is_empty() || text.chars().any(char::is_control) {
        section.note(key, &format!("expected {what}"));
        return None;
    }
    Some(folder.join(text))
}

#[cfg(test)]
mod tests;
