//! A call of our own, signed as the provider would: it shows that a channel's way in is whole.

use crate::channel::{Channel, Provider};
use kill_wire::Timestamp;

/// What to send to the channel's own path.
pub struct SelfCall {
    /// Headers, by name.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

impl Channel {
    /// A genuine call with this id and nothing to decide in it, where this channel holds what signs one.
    #[must_use]
    pub fn self_call(&self, id: &str, now: Timestamp) -> Option<SelfCall> {
        let Provider::StandardWebhooks(provider) = &self.provider else {
            return None;
        };
        provider.self_call(id, now)
    }
}

/// Shows neither signature nor body.
impl std::fmt::Debug for SelfCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SelfCall").finish_non_exhaustive()
    }
}
