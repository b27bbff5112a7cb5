//! The authority of this house, and the kill switches its hosts obey.

use crate::clock;
use crate::config::Config;
use crate::paths::Home;
use anyhow::Context as _;
use data_encoding::HEXLOWER;
use hosts::House;
use kill_config::AgentSection;
use kill_wire::{Name, VerifyingKey};
use store::{HostState, Store};

/// What a house is called unless the configuration says otherwise.
const SITE: &str = "home";

/// Opens the authority, and makes it the first time. One that is lost is not made anew while hosts know it.
pub(crate) async fn open(home: &Home, config: &Config, store: &Store) -> anyhow::Result<House> {
    let dir = home.authority();
    if !hosts::house_exists(&dir) {
        let known = store.hosts().await?;
        let joined = known.iter().filter(|it| it.state == HostState::Joined);
        let joined = joined.count();
        anyhow::ensure!(
            joined == 0,
            "{} is lost, and {joined} hosts know this authority: restore it from a backup, or revoke them and start again",
            dir.display()
        );
        let site: Name = match &config.fleet.site {
            Some(site) => site.clone(),
            None => SITE.parse().context("the default name of a house")?,
        };
        let made = hosts::make_house(&dir, &site, clock::now());
        // Another process may have made it in the same moment: then theirs is the one.
        if !hosts::house_exists(&dir) {
            made.context("the authority of this house cannot be made")?;
        }
    }
    let keys = order_keys(home, &config.agent)?;
    let addresses = config.fleet.addresses.clone();
    House::open(&dir, keys, addresses, clock::now)
}

/// The kill switch of this data folder, if there is one, and those the configuration names.
pub(crate) fn order_keys(home: &Home, section: &AgentSection) -> anyhow::Result<Vec<VerifyingKey>> {
    let mut keys = section.killswitch_keys.clone();
    if keys.is_empty() || home.order_pub().exists() {
        let own = order_key(home)?;
        keys.retain(|key| *key != own);
        keys.insert(0, own);
    }
    Ok(keys)
}

fn order_key(home: &Home) -> anyhow::Result<VerifyingKey> {
    let path = home.order_pub();
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("cannot read {}", path.display()))?;
    let raw = HEXLOWER.decode(text.trim().as_bytes()).ok();
    let raw = raw.and_then(|raw| <[u8; 32]>::try_from(raw).ok());
    raw.and_then(|raw| VerifyingKey::from_bytes(&raw).ok())
        .with_context(|| format!("{} is not an Ed25519 key in hexadecimal", path.display()))
}
