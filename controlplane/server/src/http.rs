//! The one HTTP client of this program: own peers on literal addresses, no proxy, no redirect, short limits.

use anyhow::Context as _;
use std::time::Duration;

/// Longest answer taken in bytes.
const MAX_ANSWER: usize = 1024 * 1024;

/// A client that waits at most `limit` for a whole exchange.
pub(crate) fn client(limit: Duration) -> anyhow::Result<reqwest::Client> {
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(limit)
        .build()
        .context("cannot make an HTTP client")
}

/// The whole answer, bounded.
pub(crate) async fn body(mut answer: reqwest::Response) -> anyhow::Result<Vec<u8>> {
    let mut whole = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        whole.extend_from_slice(&chunk);
        anyhow::ensure!(
            whole.len() <= MAX_ANSWER,
            "the answer is longer than {MAX_ANSWER} bytes"
        );
    }
    Ok(whole)
}

/// Runs one exchange to its end, for commands that are not asynchronous themselves.
pub(crate) fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(work)
}
