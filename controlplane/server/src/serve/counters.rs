//! Looks at the counters of APISIXes that tell of their usage by nothing else. What a counter grew by stands in the ledger
//! once, and a look that fails is made good by the next: see `store::Store::count`.

use super::spend_logs::Ledgers;
use crate::clock;
use anyhow::Context as _;
use gateways::apisix::counters_at;
use gateways::apisix::metrics::{Counts, ModelCounter};
use kill_wire::Name;
use net_model::KeyHash;
use prices::Prices;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use store::{CountedRow, Counters, Counting, Store};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use usage_feeds::{Grew, Known, Reading, Whose};

/// Between two rounds. An APISIX makes its page anew each 15 s, unless its `refresh_interval` says otherwise.
const EVERY: Duration = Duration::from_secs(5);

/// One APISIX whose counters are looked at.
#[derive(Clone, Debug)]
pub(super) struct Counted {
    pub(super) name: Name,
    pub(super) at: SocketAddr,
    /// What they do not say.
    pub(super) known: Known,
}

/// Looks until it is told to stop.
pub(super) async fn run(
    store: Store,
    ledgers: watch::Receiver<Arc<Ledgers>>,
    stop: CancellationToken,
) {
    let rounds = async {
        let mut failing = BTreeSet::new();
        loop {
            let now = Arc::clone(&ledgers.borrow());
            for counted in &now.counted {
                let source = &counted.name;
                match take_in(&store, counted, &now.prices).await {
                    Ok(done) => {
                        failing.remove(source);
                        match done {
                            Counting::First => {
                                tracing::info!(%source, "Its counters are followed from here on.");
                            }
                            Counting::Rows(0) => {}
                            Counting::Rows(rows) => {
                                tracing::debug!(%source, rows, "Usage was taken in.");
                            }
                        }
                    }
                    // Said once, and again after it went well.
                    Err(why) if failing.insert(source.clone()) => {
                        tracing::warn!(%source, "Its counters cannot be read: {why:#}");
                    }
                    Err(_) => {}
                }
            }
            tokio::time::sleep(EVERY).await;
        }
    };
    stop.run_until_cancelled(rounds).await;
}

async fn take_in(store: &Store, counted: &Counted, prices: &Prices) -> anyhow::Result<Counting> {
    let told = counters_at(counted.at).await?;
    if told.left_out > 0 {
        tracing::warn!(source = %counted.name, lines = told.left_out, "Some of its counters cannot be read, and stand in no ledger.");
    }
    let known_by = |it: &ModelCounter| (KeyHash::of(it.series.as_bytes()).to_hex(), it.value);
    let now = Counters {
        requests: told.requests,
        series: told.models.iter().map(known_by).collect(),
    };
    let with = Reading {
        source: &counted.name,
        prices,
        now: clock::now(),
    };
    let rows = |grown: &[u64]| {
        let grew = told.models.iter().zip(grown);
        let grew = grew.map(|(it, by)| (whose(it), grew_by(it.counts, *by)));
        let lines = usage_feeds::counted(grew, &counted.known, &with).into_iter();
        let rows = lines.map(|it| CountedRow {
            calls: it.calls,
            record: it.record,
        });
        rows.collect()
    };
    let done = store.count(&counted.name, &now, rows).await;
    done.context("the ledger cannot be written")
}

fn whose(counter: &ModelCounter) -> Whose<'_> {
    Whose {
        route: &counter.route,
        consumer: &counter.consumer,
        node: &counter.node,
        kind: &counter.kind,
        asked: &counter.asked,
        model: &counter.model,
    }
}

const fn grew_by(counts: Counts, by: u64) -> Grew {
    match counts {
        Counts::Prompt => Grew::Prompt(by),
        Counts::Completion => Grew::Completion(by),
        Counts::Answers(status) => Grew::Answers(status, by),
    }
}
