//! The configured channels, one per way a text may come in.

use crate::about::About;
use crate::incoming::Incoming;
use crate::refusal::Refusal;
use crate::request::RawRequest;
use kill_wire::Timestamp;

macro_rules! providers {
    ($($module:ident => $kind:ident),+) => {
        $(use crate::$module::$kind;)+

        pub(crate) enum Provider { $($kind($kind)),+ }

        impl Provider {
            pub(crate) const KINDS: &[&str] = &[$($kind::KIND),+];
            pub(crate) const ALL: &[About<Self>] = &[$(About {
                kind: $kind::KIND, trust: $kind::TRUST, replies: $kind::REPLIES, methods: $kind::METHODS, settings: $kind::SETTINGS,
                new: |options| $kind::new(options).map(Self::$kind), answer: $kind::answer,
            }),+];

            pub(crate) fn verify(&self, channel: &str, request: &RawRequest<'_>, now: Timestamp) -> Result<Incoming, Refusal> {
                match self { $(Self::$kind(provider) => provider.verify(channel, request, now)),+ }
            }
        }
    };
}

providers! {
    twilio => Twilio, standard_webhooks => StandardWebhooks,
    telnyx => Telnyx, vonage_sms => VonageSms, vonage_messages => VonageMessages, messagebird => MessageBird, sinch => Sinch,
    plivo => Plivo, sns => Sns, sms_gate => SmsGate, elks46 => Elks46,
    pulled => Telegram, pulled => Ntfy, pulled => Mqtt, pulled => Gammu, pulled => ModemManager
}

/// One way a text may come in: a name and a provider's scheme with its secrets.
pub struct Channel {
    pub(crate) name: String,
    pub(crate) provider: Provider,
    pub(crate) about: &'static About<Provider>,
}

impl Channel {
    /// What a rightly signed request brings, or why it is refused.
    pub fn verify(&self, request: &RawRequest<'_>, now: Timestamp) -> Result<Incoming, Refusal> {
        request.bounded(self.about.methods)?;
        self.provider.verify(&self.name, request, now)
    }
}
