//! How a reply reaches its provider. One file each; none of them tries again by itself, `queue.rs` does.
//!
//! To add one: a file in `replies/` with a type that has `KIND`, `new` (`Ok(None)` when the configuration names no way to
//! reply) and `send`; its line below; its settings in `settings.rs`.

mod aws;
pub(crate) mod elks46;
mod gammu;
pub(crate) mod messagebird;
#[cfg(feature = "modem-manager")]
mod modem_manager;
#[cfg(feature = "mqtt")]
mod mqtt;
mod ntfy;
pub(crate) mod plivo;
pub(crate) mod queue;
pub(crate) mod sinch;
pub(crate) mod sms_gate;
pub(crate) mod standard_webhooks;
mod telegram;
pub(crate) mod telnyx;
pub(crate) mod twilio;
pub(crate) mod vonage;

use crate::settings::ChannelSettings;
use crate::web::Web;
use std::time::Duration;

/// One text to somebody.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Letter {
    /// Its number: the same when it is sent again.
    pub(crate) number: u64,
    /// To whom: the sender of the text it answers.
    pub(crate) to: String,
    /// One GSM-7 segment.
    pub(crate) text: String,
}

/// Shows neither the text nor the number.
impl std::fmt::Debug for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Letter({})", self.number)
    }
}

/// Why one attempt failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// For people; no secret, number or text in it.
    pub(crate) why: String,
    /// Whether another attempt may help.
    pub(crate) again: Again,
}

/// Whether another attempt may help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    /// The provider refused this one for good.
    Never,
    /// The provider will refuse every one until someone mends the channel.
    Broken,
    /// Later.
    Later,
    /// Not before the time the provider named.
    After(Duration),
}

impl Failure {
    /// It may help to try again.
    pub(crate) fn later(why: impl Into<String>) -> Self {
        let why = why.into();
        let again = Again::Later;
        Self { why, again }
    }

    /// It will not help to try again.
    pub(crate) fn never(why: impl Into<String>) -> Self {
        let why = why.into();
        let again = Again::Never;
        Self { why, again }
    }
}

/// Whether the configuration asks for a way to reply: all of these settings are there, or none is.
fn wanted(channel: &ChannelSettings, settings: &[&str]) -> Result<bool, String> {
    let missing = settings.iter().find(|name| channel.get(name).is_none());
    match missing {
        None => Ok(true),
        Some(_) if settings.iter().all(|name| channel.get(name).is_none()) => Ok(false),
        Some(missing) => Err(format!(
            "`{missing}` is missing or empty; to reply it takes {}",
            settings.join(", ")
        )),
    }
}

/// The number a text goes to. Names that look like senders cannot be answered.
fn number_of(letter: &Letter) -> Result<&str, Failure> {
    let digits = letter.to.strip_prefix('+').unwrap_or(&letter.to);
    let fine = (3..=20).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    fine.then_some(letter.to.as_str())
        .ok_or_else(|| Failure::never("its sender is no number that can be texted"))
}

macro_rules! ways {
    ($($(#[$only:meta])? $module:ident => $kind:ident),+ $(,)?) => {
        /// How one channel's replies go out.
        pub(crate) enum Way { $($(#[$only])? $kind($module::$kind)),+ }

        impl Way {
            /// The way these settings ask for, or what is wrong with them.
            pub(crate) fn of(channel: &ChannelSettings) -> Result<Option<Self>, String> {
                $($(#[$only])? if channel.kind == $module::$kind::KIND {
                    return $module::$kind::new(channel).map(|made| made.map(Self::$kind));
                })+
                Ok(None)
            }

            /// Tries once.
            pub(crate) async fn send(&self, web: &Web, letter: &Letter) -> Result<(), Failure> {
                match self { $($(#[$only])? Self::$kind(way) => way.send(web, letter).await),+ }
            }
        }
    };
}

ways! {
    telegram => Telegram,
    ntfy => Ntfy,
    telnyx => Telnyx,
    vonage => VonageSms,
    vonage => VonageMessages,
    sinch => Sinch,
    messagebird => MessageBird,
    aws => Aws,
    sms_gate => SmsGate,
    standard_webhooks => StandardWebhooks,
    twilio => Twilio,
    plivo => Plivo,
    elks46 => Elks46,
    gammu => Gammu,
    #[cfg(feature = "modem-manager")] modem_manager => ModemManager,
    #[cfg(feature = "mqtt")] mqtt => Mqtt,
}
