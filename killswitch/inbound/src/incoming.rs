//! What a rightly signed request brings, and how its sender hears back.

use kill_core::InboundText;

/// What a rightly signed request brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// A text message.
    Text(InboundText),
    /// Something else, such as a delivery report: acknowledged and left alone.
    Nothing,
    /// The provider asks to confirm that this address is meant: the owner opens the link, nothing here does.
    Confirm {
        /// Where, at a host the channel's kind allows.
        url: String,
    },
}

/// How a reply reaches the sender of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replies {
    /// In the response to the call: the provider waits for it.
    InResponse,
    /// By a call of the courier to the provider; the response acknowledges at once.
    ByCourier,
    /// Not at all.
    Never,
}
