//! `node-agent restore-latch`: what a unit runs once before the network is up.

use super::FileArgs;
use super::{config, run};

pub(super) fn restore_latch(arguments: &FileArgs) -> anyhow::Result<()> {
    let config = config::read(&arguments.config)?;
    // Keys that cannot be read open nothing: the fence then comes up closed, without a word of why.
    let keys = run::order_keys(&config).unwrap_or_default();
    if let Some(fenced) = config.fence {
        node_agent::close_fence(fenced.wish, &config.agent.state, &keys)?;
    }
    Ok(())
}
