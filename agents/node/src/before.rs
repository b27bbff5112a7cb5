//! Closes the fence before the network is up: after a reboot nothing passes until an order has permitted it.

use crate::clock;
use crate::fencing::{FenceWish, standings};
use crate::record::Record;
use agent_core::{AgentCore, Silence};
use fence::{Fence, FenceError};
use kill_wire::VerifyingKey;
use std::path::Path;

/// Makes the table closed, and then with what this host remembers as cut. State that cannot be read leaves it closed.
///
/// # Errors
/// When the kernel takes no table.
pub fn close_fence(
    wish: FenceWish,
    state_dir: &Path,
    keys: &[VerifyingKey],
) -> Result<(), FenceError> {
    let mut fence = Fence::new(wish.plan);
    // First, and without a look at any disk.
    fence.put(&[])?;
    let Ok((_, found)) = Record::open(state_dir) else {
        return Ok(());
    };
    let core = AgentCore::new(found.saved, found.doubtful, keys, Silence::default());
    let ways = wish.closes_on.iter();
    let wanted: Vec<_> = ways
        .map(|scopes| core.fenced(scopes, clock::up()))
        .collect();
    fence.put(&standings(&wanted))
}
