//! From the configuration file to settings.

use crate::settings::Settings;
use crate::vantage::Vantage;
use anyhow::Context as _;
use kill_config::{ChannelWish, KillSwitchSection, Secret, local};
use kill_inbound::Channel;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// What runs beside the kill switch on its own machine: it stands in where the file names no agents or vantages.
#[derive(Clone, Debug)]
pub struct Beside {
    /// The node agent.
    pub agent: SocketAddr,
    /// The gateway.
    pub gateway: SocketAddr,
    /// The gateway's probe key; without the file there is no gateway to probe.
    pub probe_key: PathBuf,
}

impl Settings {
    /// What the file wants, with the state in `state_dir`.
    pub fn configured(
        section: KillSwitchSection,
        state_dir: PathBuf,
        beside: &Beside,
    ) -> anyhow::Result<Self> {
        let mut agents = section.agents;
        if agents.is_empty() {
            agents.push(beside.agent);
        }
        let vantage = |gateway, key: &Secret| Vantage {
            gateway,
            probe_key: key.expose().to_owned(),
        };
        let wished = section.vantages.iter();
        let mut vantages: Vec<Vantage> = wished
            .filter_map(|wish| Some(vantage(wish.gateway, wish.key.as_ref()?)))
            .collect();
        if vantages.is_empty() && beside.probe_key.exists() {
            vantages.push(vantage(beside.gateway, &secret(&beside.probe_key)?));
        }
        Ok(Self {
            channels: channels(&state_dir, section.channels)?,
            state_dir,
            agents,
            vantages,
            courier_socket: section.courier_socket,
            courier_group: section.courier_group,
            ..Self::default()
        })
    }
}

/// The configured channels, and `local`, which is always there; its secret is read anew each time.
pub fn channels(state_dir: &Path, wished: Vec<ChannelWish>) -> anyhow::Result<Vec<Channel>> {
    let path = state_dir.join("channels/local.secret");
    let made = local(&secret(&path)?);
    let made = made.map_err(|why| anyhow::anyhow!("{}: {why}", path.display()))?;
    let mut all = vec![made];
    all.extend(wished.into_iter().filter_map(|wish| wish.channel));
    Ok(all)
}

fn secret(path: &Path) -> anyhow::Result<Secret> {
    let text = std::fs::read_to_string(path)
        .map(Zeroizing::new)
        .with_context(|| format!("cannot read {}", path.display()))?;
    Secret::new(&text).with_context(|| format!("{}: there is nothing in it", path.display()))
}
