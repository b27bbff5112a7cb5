//! Calls that other gateways tell of stand in the ledger once, whatever is repeated, in whatever order, and wherever the
//! process stops in between.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use kill_wire::{Class, Name, Timestamp};
use net_model::{Api, Ended, UsageRecord};
use proptest::prelude::*;
use std::future::Future;
use std::path::Path;
use std::pin::pin;
use std::task::Poll;
use store::{Spending, Store};

fn record(id: usize) -> UsageRecord {
    UsageRecord {
        id: format!("call-{id}"),
        at: Timestamp::from_millis(1000),
        consumer: "claw".parse().unwrap(),
        route: "proxy".parse().unwrap(),
        target: "openai".parse().unwrap(),
        class: Class::Cloud,
        model: "chat".to_owned(),
        stream: false,
        status: 200,
        prompt_tokens: 1 << id,
        completion_tokens: 0,
        estimated: false,
        took_ms: 1,
        ended: Ended::Complete,
        incident: None,
        api: Api::Chat,
        cached_tokens: 0,
        reasoning_tokens: 0,
        cost: None,
        fell_back_from: None,
        first_byte_ms: None,
    }
}

fn name(of: usize) -> Name {
    let named = if of == 0 { "proxy" } else { "proxy-2" };
    named.parse().unwrap()
}

/// One delivery: from which source, which calls, and after how many steps the process stops; it sends again then.
#[derive(Clone, Debug)]
struct Delivery {
    source: usize,
    calls: Vec<usize>,
    crash_after: Option<u8>,
}

fn delivery() -> impl Strategy<Value = Delivery> {
    let calls = prop::collection::vec(0..24_usize, 0..12);
    let crash = prop::option::weighted(0.4, 0..30_u8);
    (0..2_usize, calls, crash).prop_map(|(source, calls, crash_after)| Delivery {
        source,
        calls,
        crash_after,
    })
}

/// Lets the future take so many steps, then drops it. True when it had finished.
async fn steps(of: impl Future, most: u8) -> bool {
    let mut of = pin!(of);
    let mut left = most;
    std::future::poll_fn(|context| {
        if of.as_mut().poll(context).is_ready() {
            return Poll::Ready(true);
        }
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        Poll::Pending
    })
    .await
}

async fn play(path: &Path, deliveries: &[Delivery]) -> Vec<(String, u64, u64)> {
    let mut store = Store::open(path).await.unwrap();
    for delivery in deliveries {
        let records: Vec<UsageRecord> = delivery.calls.iter().map(|id| record(*id)).collect();
        let source = name(delivery.source);
        if let Some(most) = delivery.crash_after {
            steps(store.take_in(&source, &records), most).await;
            store.close().await;
            store = Store::open(path).await.unwrap();
        }
        store.take_in(&source, &records).await.unwrap();
    }
    let rows = store.spending(Spending::Source, Timestamp::default());
    let rows = rows.await.unwrap();
    store.close().await;
    let figures = rows.into_iter();
    figures
        .map(|(source, it)| (source, it.exchanges, it.prompt_tokens))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn each_call_of_each_source_stands_once(deliveries in prop::collection::vec(delivery(), 1..10)) {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let found = runtime.block_on(play(&folder.path().join("db"), &deliveries));
        // Each call has a bit of its own in the sum: a row too many or too few shows, and which.
        let wanted = (0..2).filter_map(|source| {
            let of = deliveries.iter().filter(|it| it.source == source);
            let sum = of.flat_map(|it| &it.calls).fold(0_u64, |sum, id| sum | 1 << id);
            (sum > 0).then(|| (name(source).to_string(), u64::from(sum.count_ones()), sum))
        });
        prop_assert_eq!(found, wanted.collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn the_spool_and_a_source_never_meet() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("db")).await.unwrap();
    let cursor = store::Cursor { file: 1, offset: 1 };
    store.ingest(&[record(1)], &cursor).await.unwrap();
    assert_eq!(store.take_in(&name(0), &[record(1)]).await.unwrap(), 1);
    assert_eq!(store.take_in(&name(1), &[record(1)]).await.unwrap(), 1);
    let rows = store.spending(Spending::Source, Timestamp::default());
    let names: Vec<String> = rows
        .await
        .unwrap()
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(names, ["gateway", "proxy", "proxy-2"]);
}
