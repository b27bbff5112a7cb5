//! What the configuration says of each channel, and what it may say.

#[cfg(feature = "modem-manager")]
use crate::modem_manager;
#[cfg(feature = "mqtt")]
use crate::mqtt;
use crate::replies::{
    Way, elks46, messagebird, plivo, sinch, sms_gate, standard_webhooks, telnyx, twilio, vonage,
};
use crate::sources::Source;
use crate::{aws, gammu, ntfy, telegram};
use kill_inbound::Setting;
use std::collections::BTreeMap;
use std::path::PathBuf;
use zeroize::Zeroizing;

/// What the courier needs to know.
#[derive(Debug)]
pub struct Settings {
    /// The kill switch's socket, `courier.sock` in its state folder.
    pub socket: PathBuf,
    /// Every channel that has something to fetch or a way to reply.
    pub channels: Vec<ChannelSettings>,
}

/// One channel.
#[derive(Clone)]
pub struct ChannelSettings {
    /// Its name, as the kill switch knows it.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// Values of [`settings`] of its kind, by name; of a file, the content.
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
}

/// What the configuration may say to the courier about a channel of this kind; empty where it has nothing to do.
#[must_use]
pub fn settings(kind: &str) -> &'static [Setting] {
    match kind {
        telegram::KIND => telegram::SETTINGS,
        ntfy::KIND => ntfy::SETTINGS,
        aws::KIND => aws::SETTINGS,
        telnyx::KIND => telnyx::SETTINGS,
        sinch::KIND => sinch::SETTINGS,
        messagebird::KIND => messagebird::SETTINGS,
        sms_gate::KIND => sms_gate::SETTINGS,
        standard_webhooks::KIND => standard_webhooks::SETTINGS,
        twilio::KIND => twilio::SETTINGS,
        plivo::KIND => plivo::SETTINGS,
        elks46::KIND => elks46::SETTINGS,
        _ if vonage::KINDS.contains(&kind) => vonage::SETTINGS,
        gammu::KIND => gammu::SETTINGS,
        #[cfg(feature = "modem-manager")]
        modem_manager::KIND => modem_manager::SETTINGS,
        #[cfg(feature = "mqtt")]
        mqtt::KIND => mqtt::SETTINGS,
        _ => &[],
    }
}

/// Whether the courier can work with these settings; otherwise what to change, for people.
pub fn check(channel: &ChannelSettings) -> Result<(), String> {
    Source::of(channel)?;
    Way::of(channel)?;
    Ok(())
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
