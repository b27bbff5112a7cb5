//! Long work, which is done beside the lane: what else runs on the lane does not wait for it.

use crate::deny::Denied;

/// Bodies from this length on are read, hashed and written anew beside the lane; shorter ones take less than a
/// millisecond.
const LONG: usize = 128 * 1024;

/// Does `work`, which is about so many bytes.
pub(crate) async fn beside<T: Send + 'static>(
    bytes: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Denied> {
    if bytes < LONG {
        return Ok(work());
    }
    // It panics in place of ending only by a mistake of ours.
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| Denied::Busy)
}
