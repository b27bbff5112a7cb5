//! Questions to the kill switch. Its client blocks, so each waits on a thread of its own.

use crate::site::Site;
use kill_wire::{ErrorCode, LeverError, LeverReply, LeverRequest};
use std::time::Duration;

/// Asks the kill switch without holding up other requests.
pub(crate) async fn ask(
    site: &Site,
    request: LeverRequest,
    limit: Duration,
) -> Result<LeverReply, LeverError> {
    let lever = site.app.lever.clone();
    let asked = tokio::task::spawn_blocking(move || lever.ask(&request, limit));
    asked.await.unwrap_or_else(|error| {
        Err(LeverError {
            code: ErrorCode::Unavailable,
            message: format!("the question to the kill switch broke off: {error}"),
        })
    })
}
