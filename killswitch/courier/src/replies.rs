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

use crate::channel::ChannelSettings;
use crate::letter::{Failure, Letter};
use crate::web::Web;

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
