//! What the kill switch and its courier say to each other: one JSON line each way over a unix socket.
//!
//! The courier is the part that may look up names and speak to the internet: it fetches texts from providers that are
//! asked instead of calling, and carries replies. The kill switch never waits for it.

use crate::latch::Incident;
use crate::scope::Scope;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Longest line either way, in bytes.
pub const MAX_COURIER_LINE: usize = 128 * 1024;

/// From the courier to the kill switch.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case", deny_unknown_fields)]
pub enum FromCourier {
    /// A text a provider gave when asked. How far it is trusted is for the kill switch's own configuration to say.
    Text {
        /// Name of the channel, as configured.
        channel: String,
        /// The provider's id of the message: the same message has the same id, also after a restart.
        id: String,
        /// Who sent it, as the provider says; also where a reply goes.
        sender: Option<String>,
        /// What it says.
        text: String,
        /// When the network took it from its sender (an SMS centre's stamp), if that is known.
        sent: Option<Timestamp>,
    },
    /// A webhook body that came by a queue: verified by the channel itself, as if it had been called.
    Webhook {
        /// Name of the channel.
        channel: String,
        /// Headers, if the queue kept any.
        headers: Vec<(String, String)>,
        /// The raw body.
        body: String,
        /// Comes back in [`ToCourier::Taken`].
        id: String,
    },
    /// A button inside the house was pressed: to be there is the credential. It can only cut.
    Button {
        /// Name of the channel.
        channel: String,
        /// What it cuts.
        scope: Scope,
        /// Comes back in [`ToCourier::Taken`].
        id: String,
    },
    /// A reply was handed to its provider.
    Sent {
        /// Its number.
        number: u64,
    },
    /// A reply could not be sent by its own channel, with all retries.
    NotSent {
        /// Its number.
        number: u64,
        /// Why, for people; no secret in it.
        why: String,
    },
    /// How a channel is; said at the start, at every change, and every minute.
    Health {
        /// Name of the channel.
        channel: String,
        /// What is wrong; none when its provider answers.
        problem: Option<String>,
    },
}

/// From the kill switch to the courier.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case", deny_unknown_fields)]
pub enum ToCourier {
    /// The message was decided about, and what came of it is written down or will not be: it may be deleted at its source.
    Taken {
        /// Name of the channel.
        channel: String,
        /// The id it came with.
        id: String,
    },
    /// Send this.
    Reply {
        /// Answered by [`FromCourier::Sent`] or [`FromCourier::NotSent`].
        number: u64,
        /// Name of the channel.
        channel: String,
        /// To whom: the sender of the text it answers.
        to: String,
        /// One GSM-7 segment.
        text: String,
    },
    /// What is cut now, for channels that show it (MQTT). Sent after every change, and at the start.
    State {
        /// Every scope a command may name.
        scopes: Vec<Scope>,
        /// Of these, what is latched.
        cut: Vec<Scope>,
        /// The incident of each of `cut`, in the same order.
        #[serde(default)]
        incidents: Vec<Incident>,
        /// What someone should look at.
        warnings: Vec<String>,
    },
}

/// Shows neither texts, which may hold a live code, nor numbers of phones.
impl std::fmt::Debug for FromCourier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (kind, channel) = match self {
            Self::Text { channel, .. } => ("Text", channel.as_str()),
            Self::Webhook { channel, .. } => ("Webhook", channel.as_str()),
            Self::Button { channel, .. } => ("Button", channel.as_str()),
            Self::Sent { .. } => ("Sent", ""),
            Self::NotSent { .. } => ("NotSent", ""),
            Self::Health { channel, .. } => ("Health", channel.as_str()),
        };
        write!(f, "{kind}({channel})")
    }
}

impl std::fmt::Debug for ToCourier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Taken { channel, .. } => write!(f, "Taken({channel})"),
            Self::Reply {
                number, channel, ..
            } => write!(f, "Reply({number}, {channel})"),
            Self::State { cut, .. } => write!(f, "State({cut:?})"),
        }
    }
}
