//! Texts that the courier fetched, and how far each is trusted.

use crate::channel::Channel;
use crate::pulled::{Gammu, ModemManager, is_pulled};
use kill_core::InboundText;
use kill_wire::Timestamp;

impl Channel {
    /// Whether the courier fetches its texts; over HTTP it refuses everything.
    #[must_use]
    pub fn pulled(&self) -> bool {
        is_pulled(self.kind())
    }

    /// What the courier brought, with this channel's trust and never more; `None` where texts come by webhook only.
    ///
    /// `sent` is when the network took the text from its sender, by the stamp of the SMS centre: a local modem's channel
    /// passes it on, every other drops it.
    #[must_use]
    pub fn text(
        &self,
        id: &str,
        sender: Option<&str>,
        text: &str,
        sent: Option<Timestamp>,
    ) -> Option<InboundText> {
        let made = InboundText::new(&self.name, id, sender, text, self.trust());
        let modem = [Gammu::KIND, ModemManager::KIND].contains(&self.kind());
        self.pulled().then_some(match sent.filter(|_| modem) {
            Some(sent) => made.sent_at(sent),
            None => made,
        })
    }
}
