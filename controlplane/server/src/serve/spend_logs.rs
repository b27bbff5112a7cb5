//! Asks LiteLLMs with a database for their own ledger (`GET /spend/logs/v2`), page by page, so that what a callback lost
//! is not lost. Rows that are known stay as they are; whatever fails is asked for again.

use super::counters::Counted;
use crate::{clock, http};
use anyhow::{Context as _, bail};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use kill_wire::{Name, Timestamp};
use net_model::Secret;
use prices::Prices;
use reqwest::Client;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use store::Store;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use usage_feeds::{MAX_BYTES, Page, Reading};

/// Between two rounds. LiteLLM writes its rows each ten seconds.
const EVERY: Duration = Duration::from_secs(30);
/// How long one page may take.
const LIMIT: Duration = Duration::from_secs(15);
/// Rows of a page: with the words of what was said a row may be long.
const ROWS: usize = 100;
/// A row stands in LiteLLM's ledger by the moment its call began, and comes when it ended: each round looks back this
/// far behind the newest row, in milliseconds.
const BACK: u64 = 3_600_000;
/// Each so many rounds it looks back a day, for calls that lasted long.
const LONG_ROUND: u32 = 40;
const LONG_BACK: u64 = 24 * 3_600_000;
/// How far the first round goes back where nothing is known yet.
const FIRST: u64 = 30 * 24 * 3_600_000;

/// One LiteLLM that is asked.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) name: Name,
    pub(super) at: SocketAddr,
    pub(super) key: Secret,
}

/// Whom to ask, and what models cost.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledgers {
    pub(super) asked: Vec<Asked>,
    pub(super) counted: Vec<Counted>,
    pub(super) prices: Prices,
}

/// Asks until it is told to stop.
pub(super) async fn run(
    store: Store,
    ledgers: watch::Receiver<Arc<Ledgers>>,
    stop: CancellationToken,
) {
    let rounds = async {
        let mut round: u32 = 0;
        loop {
            let now = Arc::clone(&ledgers.borrow());
            for asked in &now.asked {
                let back = if round.is_multiple_of(LONG_ROUND) {
                    LONG_BACK
                } else {
                    BACK
                };
                match take_in(&store, asked, &now.prices, back).await {
                    Ok(0) => {}
                    Ok(new) => tracing::debug!(source = %asked.name, new, "Usage was taken in."),
                    Err(why) => {
                        tracing::warn!(source = %asked.name, "Its ledger cannot be read: {why:#}");
                    }
                }
            }
            round = round.wrapping_add(1);
            tokio::time::sleep(EVERY).await;
        }
    };
    stop.run_until_cancelled(rounds).await;
}

async fn take_in(store: &Store, asked: &Asked, prices: &Prices, back: u64) -> anyhow::Result<u64> {
    let client = http::client(LIMIT)?;
    let now = clock::now();
    let newest = store.newest_of(&asked.name).await?;
    let from = newest.map_or_else(
        || now.millis().saturating_sub(FIRST),
        |it| it.millis().saturating_sub(back),
    );
    let with = Reading {
        source: &asked.name,
        prices,
        now,
    };
    let (mut page, mut new) = (1, 0);
    loop {
        let span = (Timestamp::from_millis(from), now.plus_millis(60_000));
        let found = ask(&client, asked, span, page, &with).await?;
        new += store.take_in(&asked.name, &found.fed.records).await?;
        if page >= found.pages {
            return Ok(new);
        }
        page += 1;
    }
}

async fn ask(
    client: &Client,
    asked: &Asked,
    (from, to): (Timestamp, Timestamp),
    page: u64,
    with: &Reading<'_>,
) -> anyhow::Result<Page> {
    let path = format!(
        "http://{}/spend/logs/v2?start_date={}&end_date={}&page={page}&page_size={ROWS}&sort_by=startTime&sort_order=asc",
        asked.at,
        written(from),
        written(to),
    );
    let answer = client
        .get(path)
        .bearer_auth(asked.key.expose())
        .send()
        .await;
    // What reqwest says of a failure names the address; the key stands in a header field.
    let mut answer = answer.context("it does not answer")?;
    if !answer.status().is_success() {
        bail!(
            "it answers {}; has it a database, and is the key its master key?",
            answer.status()
        );
    }
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        body.extend_from_slice(&chunk);
        anyhow::ensure!(
            body.len() <= MAX_BYTES,
            "a page is longer than {MAX_BYTES} bytes"
        );
    }
    Ok(usage_feeds::spend_page(&body, with, read_time)?)
}

/// `2026-11-22 01:09:47`, in UTC, as LiteLLM reads it, with the space written for a query.
fn written(at: Timestamp) -> String {
    let text = at.to_string();
    text.chars()
        .take(19)
        .collect::<String>()
        .replace('T', "%20")
}

/// ISO 8601 with an offset, or without one and then UTC.
fn read_time(text: &str) -> Option<u64> {
    let at = text.parse::<jiff::Timestamp>().ok().or_else(|| {
        let civil: DateTime = text.parse().ok()?;
        civil.to_zoned(TimeZone::UTC).ok().map(|it| it.timestamp())
    })?;
    u64::try_from(at.as_millisecond()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_read_and_written_as_litellm_does() {
        let at = 1_795_309_787_123;
        for text in [
            "2026-11-22T01:09:47.123000Z",
            "2026-11-22T01:09:47.123+00:00",
            "2026-11-22T02:09:47.123000+01:00",
            "2026-11-22T01:09:47.123",
            "2026-11-22 01:09:47.123",
        ] {
            assert_eq!(read_time(text), Some(at), "{text}");
        }
        assert_eq!(read_time("yesterday"), None);
        assert_eq!(written(Timestamp::from_millis(at)), "2026-11-22%2001:09:47");
    }
}
