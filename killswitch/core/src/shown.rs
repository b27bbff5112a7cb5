//! How a text shows in logs: where it came from, never what it says.

use crate::inbound_text::InboundText;

/// Shows neither the text, which may hold a live code, nor the number of the sender.
impl std::fmt::Debug for InboundText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InboundText")
            .field("channel", &self.channel)
            .field("id", &self.id)
            .field("trust", &self.trust)
            .finish_non_exhaustive()
    }
}
