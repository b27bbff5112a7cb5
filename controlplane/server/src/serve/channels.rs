//! Channels of the kill switch: those of the configuration, and `local`, which is always there.

use crate::paths::Home;
use anyhow::Context as _;
use kill_config::{ChannelWish, Secret};
use kill_inbound::Channel;
use zeroize::Zeroizing;

/// All of them; the secret of `local` is read anew each time.
pub(super) fn all(home: &Home, configured: Vec<ChannelWish>) -> anyhow::Result<Vec<Channel>> {
    let path = home.local_secret();
    let secret = std::fs::read_to_string(&path)
        .map(Zeroizing::new)
        .with_context(|| format!("cannot read {}", path.display()))?;
    let local = Secret::new(&secret).ok_or_else(|| "there is nothing in it".to_owned());
    let local = local
        .and_then(|secret| kill_config::local(&secret))
        .map_err(|why| anyhow::anyhow!("{}: {why}", path.display()))?;
    let mut all = vec![local];
    all.extend(configured.into_iter().filter_map(|wish| wish.channel));
    Ok(all)
}
