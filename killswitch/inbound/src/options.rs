//! What the configuration says of a channel.

use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// What the configuration says of a channel.
#[derive(Default)]
pub struct Options {
    /// The address the provider calls, for providers that sign it.
    pub public_url: Option<String>,
    /// One secret, or two while one replaces the other.
    pub secrets: Vec<String>,
    /// Values of the kind's own [`Setting`]s, by name; of a file, its content.
    pub settings: BTreeMap<String, String>,
}

/// One setting of a kind, as the configuration shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its key; of a file it ends in `_file`.
    pub name: &'static str,
    /// What is expected, with an example.
    pub expect: &'static str,
    /// Whether it must be there.
    pub required: bool,
    /// Whether the value is the path of a file whose content counts.
    pub file: bool,
}

impl Options {
    /// The secrets without the line ends of their files; wiped when dropped.
    pub(crate) fn take_secrets(&mut self) -> Result<Vec<Zeroizing<String>>, String> {
        let given = std::mem::take(&mut self.secrets).into_iter();
        let secrets: Vec<_> = given
            .map(Zeroizing::new)
            .map(|secret| Zeroizing::new(secret.trim().to_owned()))
            .collect();
        if (1..=2).contains(&secrets.len()) {
            Ok(secrets)
        } else {
            Err(format!("expected 1 or 2 secrets, found {}", secrets.len()))
        }
    }

    /// Secrets that are a provider's texts: at least 16 visible characters, `what` they are for the message.
    pub(crate) fn take_visible_secrets(
        &mut self,
        what: &str,
    ) -> Result<Vec<Zeroizing<String>>, String> {
        let secrets = self.take_secrets()?;
        let plain =
            |s: &Zeroizing<String>| s.len() >= 16 && s.bytes().all(|b| b.is_ascii_graphic());
        if secrets.iter().all(plain) {
            Ok(secrets)
        } else {
            Err(format!("expected {what}, at least 16 visible characters"))
        }
    }

    /// A setting without the line ends of its file; an empty one is none.
    #[must_use]
    pub fn setting(&self, name: &str) -> Option<&str> {
        let value = self.settings.get(name).map(|value| value.trim());
        value.filter(|value| !value.is_empty())
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("public_url", &self.public_url)
            .finish_non_exhaustive()
    }
}
