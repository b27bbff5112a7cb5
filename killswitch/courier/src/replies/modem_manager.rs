//! ModemManager: by the first modem that takes texts.

use crate::channel::ChannelSettings;
use crate::letter::{Failure, Letter};
use crate::modem_manager::{Bus, KIND, Settings};
use crate::web::Web;

pub(crate) struct ModemManager {
    settings: Settings,
}

impl ModemManager {
    pub(crate) const KIND: &str = KIND;

    pub(crate) fn new(channel: &ChannelSettings) -> Result<Option<Self>, String> {
        let settings = Settings::read(channel)?;
        Ok(Some(Self { settings }))
    }

    pub(crate) async fn send(&self, _web: &Web, letter: &Letter) -> Result<(), Failure> {
        let failed = |why: zbus::Error| Failure::later(Bus::problem(&why));
        let bus = Bus::connect(self.settings.bus()).await.map_err(failed)?;
        let modems = bus.modems(self.settings.modem()).await.map_err(failed)?;
        let modem = modems
            .first()
            .ok_or_else(|| Failure::later("no modem takes texts"))?;
        bus.send(modem, &letter.to, &letter.text)
            .await
            .map_err(failed)
    }
}
