//! The configured channels, one per way a text may come in.

use crate::incoming::{Incoming, Replies};
use crate::options::{Options, Setting};
use crate::refusal::{Answer, Refusal};
use crate::request::RawRequest;
use kill_core::Trust;
use kill_wire::Timestamp;

macro_rules! providers {
    ($($module:ident => $kind:ident),+) => {
        $(use crate::$module::$kind;)+

        pub(crate) enum Provider { $($kind($kind)),+ }

        impl Provider {
            pub(crate) const KINDS: &[&str] = &[$($kind::KIND),+];

            pub(crate) fn new(kind: &str, options: Options) -> Result<Self, String> {
                $(if kind == $kind::KIND { return $kind::new(options).map(Self::$kind); })+
                Err(format!("unknown kind `{kind}`, expected one of: {}", Self::KINDS.join(", ")))
            }
            pub(crate) fn settings(kind: &str) -> &'static [Setting] {
                $(if kind == $kind::KIND { return $kind::SETTINGS; })+
                &[]
            }
            pub(crate) const fn kind(&self) -> &'static str { match self { $(Self::$kind(_) => $kind::KIND),+ } }
            pub(crate) const fn trust(&self) -> Trust { match self { $(Self::$kind(_) => $kind::TRUST),+ } }
            pub(crate) const fn replies(&self) -> Replies { match self { $(Self::$kind(_) => $kind::REPLIES),+ } }
            pub(crate) fn verify(&self, channel: &str, request: &RawRequest<'_>, now: Timestamp) -> Result<Incoming, Refusal> {
                match self { $(Self::$kind(provider) => provider.verify(channel, request, now)),+ }
            }
            pub(crate) fn answer(&self, reply: Option<&str>) -> Answer {
                match self { $(Self::$kind(_) => $kind::answer(reply)),+ }
            }
        }
    };
}

providers! {
    twilio => Twilio, standard_webhooks => StandardWebhooks,
    pulled => Telegram, pulled => Ntfy, pulled => Mqtt, pulled => Gammu, pulled => ModemManager
}

/// One way a text may come in: a name and a provider's scheme with its secrets.
pub struct Channel {
    pub(crate) name: String,
    pub(crate) provider: Provider,
}

impl Channel {
    /// What a rightly signed request brings, or why it is refused.
    pub fn verify(&self, request: &RawRequest<'_>, now: Timestamp) -> Result<Incoming, Refusal> {
        request.bounded(self.provider.methods())?;
        self.provider.verify(&self.name, request, now)
    }
}
