//! What the configuration says of one channel.

use kill_inbound::Setting;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// One channel.
#[derive(Clone)]
pub struct ChannelSettings {
    /// Its name, as the kill switch knows it.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// Values of [`settings`](crate::settings()) of its kind, by name; of a file, the content.
    pub values: BTreeMap<String, String>,
    /// The channel's secrets, the present one first; empty where the courier may not read them.
    pub secrets: Vec<Zeroizing<String>>,
}

/// Values may be secrets; their names are not.
impl std::fmt::Debug for ChannelSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChannelSettings")
            .field("name", &self.name)
            .field("kind", &self.kind)
            .field("values", &self.values.keys())
            .finish_non_exhaustive()
    }
}

impl ChannelSettings {
    /// A value without the line ends of its file; an empty one is none.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let value = self.values.get(name).map(|value| value.trim());
        value.filter(|value| !value.is_empty())
    }

    /// A value that must be there.
    pub(crate) fn need(&self, name: &str) -> Result<&str, String> {
        self.get(name)
            .ok_or_else(|| format!("`{name}` is missing or empty"))
    }

    /// The root of an address, without a slash at its end.
    pub(crate) fn base(&self, name: &str, usual: &str) -> String {
        self.get(name)
            .unwrap_or(usual)
            .trim_end_matches('/')
            .to_owned()
    }

    /// The present secret of the channel.
    pub(crate) fn secret(&self) -> Result<Zeroizing<String>, String> {
        let secret = self.secrets.first().map(|secret| secret.trim());
        match secret.filter(|secret| !secret.is_empty()) {
            Some(secret) => Ok(Zeroizing::new(secret.to_owned())),
            None => Err("`secret_file` is missing or empty".to_owned()),
        }
    }

    /// Whether it asks for a way to reply: all of these settings are there, or none is.
    pub(crate) fn wants(&self, settings: &[&str]) -> Result<bool, String> {
        let missing = settings.iter().find(|name| self.get(name).is_none());
        match missing {
            None => Ok(true),
            Some(_) if settings.iter().all(|name| self.get(name).is_none()) => Ok(false),
            Some(missing) => Err(format!(
                "`{missing}` is missing or empty; to reply it takes {}",
                settings.join(", ")
            )),
        }
    }
}

/// A setting that may be left out.
pub(crate) const fn optional(name: &'static str, expect: &'static str) -> Setting {
    Setting {
        name,
        expect,
        required: false,
        file: false,
    }
}

/// A setting that must be there.
pub(crate) const fn required(name: &'static str, expect: &'static str) -> Setting {
    Setting {
        required: true,
        ..optional(name, expect)
    }
}

/// A file that may be left out; its content counts.
pub(crate) const fn file(name: &'static str, expect: &'static str) -> Setting {
    Setting {
        file: true,
        ..optional(name, expect)
    }
}
