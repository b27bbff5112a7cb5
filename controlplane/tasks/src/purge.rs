//! Clears sign-ins that have expired, which are refused without it, and remarks and stories of requests that nobody looks
//! for any more.

use crate::status::{Board, TaskStatus, chain};
use crate::wake::Wake;
use kill_wire::Timestamp;
use std::time::Duration;
use store::{MOST_STORIES, Store, StoreError};
use tokio_util::sync::CancellationToken;

pub(crate) const NAME: &str = "clear old sign-ins and remarks";

const EVERY: Duration = Duration::from_secs(3600);
/// How long it can be asked why a request fared as it did.
const STORIES: Duration = Duration::from_hours(14 * 24);
/// How long remarks are kept.
const REMARKS: Duration = Duration::from_hours(30 * 24);

pub(crate) struct Purge {
    store: Store,
    clock: fn() -> Timestamp,
    board: Board,
    removed: u64,
}

impl Purge {
    pub(crate) fn new(store: Store, clock: fn() -> Timestamp, board: Board) -> Self {
        Self {
            store,
            clock,
            board,
            removed: 0,
        }
    }

    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let mut wake = Wake::every(EVERY, &stop);
        while wake.comes().await {
            let now = (self.clock)();
            let problem = match self.clear(now).await {
                Ok(removed) => {
                    self.removed += removed;
                    None
                }
                Err(error) => Some(chain(&error)),
            };
            self.board.put(TaskStatus {
                name: NAME,
                schedule: "each hour",
                at: now,
                done: format!("{} removed", self.removed),
                problem,
            });
        }
    }

    async fn clear(&self, now: Timestamp) -> Result<u64, StoreError> {
        let sessions = self.store.purge_sessions(now).await?;
        let before = |kept: Duration| {
            let kept = u64::try_from(kept.as_millis()).unwrap_or(u64::MAX);
            Timestamp::from_millis(now.millis().saturating_sub(kept))
        };
        let remarks = self.store.purge_remarks(before(REMARKS)).await?;
        let stories = self.store.purge_stories(before(STORIES), MOST_STORIES);
        Ok(sessions + remarks + stories.await?)
    }
}
