//! `node-agent restore-latch`: what a unit runs once before the network is up.

use super::FileArgs;
use super::config;

pub(super) fn restore_latch(arguments: &FileArgs) -> anyhow::Result<()> {
    let config = config::read(&arguments.config)?;
    let Some(fenced) = config.fence else {
        return Ok(());
    };
    let keys = &config.agent.common.killswitch_keys;
    node_agent::close_fence(fenced.wish, &config.agent.state, keys)?;
    Ok(())
}
