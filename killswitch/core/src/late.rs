//! Texts that were long on their way.

use crate::inbound_text::{InboundText, Trust};
use crate::keyring::KILL_PAST;
use kill_wire::{Step, Timestamp};

/// A stamp older than this is not believed, in milliseconds.
const OLDEST_MS: u64 = 86_400_000;

impl InboundText {
    /// The same text, with the time the network took it from its sender: an SMS centre's stamp, read by our own modem.
    #[must_use]
    pub const fn sent_at(mut self, sent: Timestamp) -> Self {
        self.sent = Some(sent);
        self
    }

    /// The step in which it was sent, if that was so long ago that a KILL code of then would not be found now. Only a
    /// KILL is judged at it: who is late to open sends again.
    pub(crate) fn late(&self, now: Timestamp) -> Option<Step> {
        let sent = self.sent.filter(|_| self.trust == Trust::A)?;
        let late = sent.step().get() + KILL_PAST / 2 < now.step().get();
        (late && now.since(sent) <= OLDEST_MS).then(|| sent.step())
    }
}
