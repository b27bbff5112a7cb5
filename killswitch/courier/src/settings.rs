//! What the configuration may say to the courier, by kind of channel.

use crate::channel::ChannelSettings;
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
use std::path::PathBuf;

/// What the courier needs to know.
#[derive(Debug)]
pub struct Settings {
    /// The kill switch's socket, `courier.sock` in its state folder.
    pub socket: PathBuf,
    /// Every channel that has something to fetch or a way to reply.
    pub channels: Vec<ChannelSettings>,
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
