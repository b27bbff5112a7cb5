//! From the configuration file to settings.

use crate::channel::ChannelSettings;
use crate::settings::{Settings, check, settings};
use kill_config::{CourierWish, Knows};
use std::path::PathBuf;
use zeroize::Zeroizing;

/// What the courier knows of each kind of channel, for whoever reads the file.
pub const KNOWS: Knows = Knows {
    settings,
    check: |wish| check(&ChannelSettings::from(wish)),
};

impl From<&CourierWish> for ChannelSettings {
    fn from(wish: &CourierWish) -> Self {
        let secrets = wish.secrets.iter();
        Self {
            name: wish.name.clone(),
            kind: wish.kind.clone(),
            values: wish.values.clone(),
            secrets: secrets
                .map(|secret| Zeroizing::new(secret.expose().to_owned()))
                .collect(),
        }
    }
}

impl Settings {
    /// What the file wants, with the kill switch's socket at `socket`; none when no channel has work for a courier.
    #[must_use]
    pub fn configured<'w>(
        wishes: impl Iterator<Item = &'w CourierWish>,
        socket: PathBuf,
    ) -> Option<Self> {
        let wanted = wishes.filter(|wish| wish.fetched || !wish.values.is_empty());
        let channels: Vec<_> = wanted.map(ChannelSettings::from).collect();
        (!channels.is_empty()).then_some(Self { socket, channels })
    }
}
