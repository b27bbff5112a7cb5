//! Channels of the kill switch: those of the configuration, and `local`, which is always there.

use crate::config::{LOCAL_CHANNEL, channel};
use crate::paths::Home;
use crate::private;
use kill_inbound::Channel;

/// All of them; the secret of `local` is read anew each time.
pub(super) fn all(home: &Home, configured: Vec<Channel>) -> anyhow::Result<Vec<Channel>> {
    let path = home.local_secret();
    let secret = private::secret(&path)?;
    let local = channel(LOCAL_CHANNEL, "standard-webhooks", None, &[secret])
        .map_err(|why| anyhow::anyhow!("{}: {why}", path.display()))?;
    let mut all = vec![local];
    all.extend(configured);
    Ok(all)
}
