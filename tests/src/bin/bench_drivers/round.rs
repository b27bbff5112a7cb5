//! One cut and its restore.

use anyhow::{Context as _, ensure};
use gateways::Gateway as _;
use kill_wire::{Latch, LatchSet, Scope, Timestamp};
use net_model::Overlay;
use site_tests::bench::clock::{Mark, mark, ms};
use site_tests::driven::{Answer, Client, Door, KEYS, Site};
use std::time::Duration;
use tokio::task::JoinSet;

/// Until what was asked for must have come about.
const LIMIT: Duration = Duration::from_secs(10);
/// So many refusals in a row, each on a connection that may lead to another worker, are taken for closed.
const IN_A_ROW: u32 = 4;

/// Figures of one cut, in milliseconds from just before the driver was called.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Round {
    /// Until the driver returned, with its proof and streams ended.
    pub(crate) told: f64,
    /// Until the first refusal on the connection that was refused last.
    pub(crate) refused: f64,
    /// Until the stream under way had ended; none where it cannot be ended.
    pub(crate) stream: Option<f64>,
    /// From the call that restores until every connection was served.
    pub(crate) restored: f64,
}

pub(crate) fn overlay(seq: u64, cut: bool) -> anyhow::Result<Overlay> {
    let latch = || -> anyhow::Result<Latch> {
        Ok(Latch {
            incident: 7.try_into()?,
            scope: Scope::All,
            since: Timestamp::from_millis(1),
        })
    };
    let latches = cut.then(latch).transpose()?;
    Ok(Overlay {
        seq,
        latches: LatchSet::try_from(latches.into_iter().collect::<Vec<_>>())?,
        ..Overlay::default()
    })
}

/// Waits until both consumers are served, on several connections one after the other.
async fn served(site: &Site) -> anyhow::Result<()> {
    let waiting = async {
        for (consumer, _, _) in KEYS {
            let door = site.door(consumer)?;
            let mut well = 0;
            while well < IN_A_ROW {
                let answer = door.client().await?.ask().await;
                well = if answer == Answer::Served {
                    well + 1
                } else {
                    0
                };
            }
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(LIMIT, waiting).await?
}

/// Asks without a pause, on the same connection for as long as it lives. Gives when the first of the last refusals came.
async fn until_refused(door: Door, mut client: Client) -> anyhow::Result<Mark> {
    let (mut first, mut row) = (mark(), 0);
    while row < IN_A_ROW {
        let answer = client.ask().await;
        if !answer.refused() {
            ensure!(answer == Answer::Served, "met {answer:?}");
            row = 0;
            continue;
        }
        if row == 0 {
            first = mark();
        }
        row += 1;
        if answer == Answer::Ended {
            client = door.client().await?;
        }
    }
    Ok(first)
}

/// Opens everything, cuts it while every connection is in use, and restores it.
pub(crate) async fn play(site: &Site, at: u64, connections: usize) -> anyhow::Result<Round> {
    let open = overlay(at * 3 + 1, false)?;
    site.driver.apply(&open).await?;
    served(site).await?;
    let mut stream = site.door(KEYS[0].0)?.stream().await?;
    let mut all = JoinSet::new();
    for (consumer, _, _) in KEYS.into_iter().cycle().take(connections) {
        let door = site.door(consumer)?;
        let client = door.client().await?;
        all.spawn(until_refused(door, client));
    }
    // Each of them is under way.
    tokio::time::sleep(Duration::from_millis(20)).await;
    let begun = mark();
    let cut = overlay(at * 3 + 2, true)?;
    let (told, ended, closed) = tokio::join!(
        async { (site.driver.apply(&cut).await, mark()) },
        async { (stream.ends(LIMIT).await, mark()) },
        tokio::time::timeout(LIMIT, all.join_all()),
    );
    told.0?;
    let closed = closed.context("a connection was never refused")?;
    let closed: Vec<Mark> = closed.into_iter().collect::<anyhow::Result<_>>()?;
    let last = closed.into_iter().max();
    let restored = mark();
    site.driver.apply(&overlay(at * 3 + 3, false)?).await?;
    served(site).await?;
    Ok(Round {
        told: ms(begun, told.1),
        refused: ms(begun, last.context("no connection")?),
        stream: ended.0.then(|| ms(begun, ended.1)),
        restored: ms(restored, mark()),
    })
}
