//! What counters grew by stands in the ledger once, wherever either side stops in between, and however often it is looked.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use kill_wire::{Class, Name, Timestamp};
use net_model::{Api, Ended, MicroDollars, UsageRecord};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::future::Future;
use std::path::Path;
use std::pin::pin;
use std::task::Poll;
use store::{CountedRow, Counters, Counting, Spending, Store};

fn row(at: usize, tokens: u64) -> CountedRow {
    CountedRow {
        calls: tokens,
        record: UsageRecord {
            id: at.to_string(),
            at: Timestamp::from_millis(1000),
            consumer: "claw".parse().unwrap(),
            route: "chat".parse().unwrap(),
            target: "openai".parse().unwrap(),
            class: Class::Cloud,
            model: "gpt".to_owned(),
            stream: false,
            status: 200,
            prompt_tokens: tokens,
            completion_tokens: 0,
            estimated: false,
            took_ms: 0,
            ended: Ended::Complete,
            incident: None,
            api: Api::Chat,
            cached_tokens: 0,
            reasoning_tokens: 0,
            cost: (at > 0).then_some(MicroDollars::ZERO),
            fell_back_from: None,
            first_byte_ms: None,
        },
    }
}

fn rows(grown: &[u64]) -> Vec<CountedRow> {
    let grown = grown.iter().enumerate().filter(|(_, by)| **by > 0);
    grown.map(|(at, by)| row(at, *by)).collect()
}

fn edge() -> Name {
    "edge".parse().unwrap()
}

/// What happens, one after the other.
#[derive(Clone, Debug)]
enum Step {
    /// A consumer uses so many tokens.
    Used(usize, u64),
    /// The counters are looked at; whoever looks stops after so many steps, and looks once more.
    Look(Option<u8>),
    /// The gateway begins anew, and its counters with it. It is looked at before, since what nobody saw is lost with it, and
    /// soon after, since one that has done as much again looks as if it had never ended.
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..3_usize, 1..50_u64).prop_map(|(who, tokens)| Step::Used(who, tokens)),
        3 => prop::option::weighted(0.4, 0..40_u8).prop_map(Step::Look),
        1 => Just(Step::Restart),
    ]
}

/// A gateway's counters.
#[derive(Default)]
struct Gateway {
    series: BTreeMap<usize, u64>,
    requests: u64,
}

impl Gateway {
    fn told(&mut self, says: bool) -> Counters {
        self.requests += 1;
        let series = self.series.iter();
        Counters {
            requests: says.then_some(self.requests),
            series: series
                .map(|(who, value)| (format!("series-{who}"), *value))
                .collect(),
        }
    }
}

/// Lets the future take so many steps, then drops it.
async fn steps(of: impl Future, most: u8) {
    let mut of = pin!(of);
    let mut left = most;
    std::future::poll_fn(|context| {
        if left == 0 || of.as_mut().poll(context).is_ready() {
            return Poll::Ready(());
        }
        left -= 1;
        Poll::Pending
    })
    .await;
}

async fn play(path: &Path, all: &[Step]) -> (u64, u64, u64) {
    let mut store = Store::open(path).await.unwrap();
    let mut gateway = Gateway::default();
    assert_eq!(
        store
            .count(&edge(), &gateway.told(true), rows)
            .await
            .unwrap(),
        Counting::First
    );
    let mut used = 0;
    for step in all.iter().chain([&Step::Look(None)]) {
        match step {
            Step::Used(who, tokens) => {
                *gateway.series.entry(*who).or_default() += tokens;
                gateway.requests += 1;
                used += tokens;
            }
            Step::Look(crash) => {
                if let Some(most) = crash {
                    let told = gateway.told(true);
                    steps(store.count(&edge(), &told, rows), *most).await;
                    store.close().await;
                    store = Store::open(path).await.unwrap();
                }
                let told = gateway.told(true);
                store.count(&edge(), &told, rows).await.unwrap();
            }
            Step::Restart => {
                let told = gateway.told(true);
                store.count(&edge(), &told, rows).await.unwrap();
                gateway = Gateway::default();
                let told = gateway.told(true);
                store.count(&edge(), &told, rows).await.unwrap();
            }
        }
    }
    let sums = store.usage_since(Timestamp::default()).await.unwrap();
    store.close().await;
    (used, sums.prompt_tokens, sums.exchanges)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn each_token_stands_once_whoever_starts_anew(all in prop::collection::vec(step(), 1..24)) {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (used, tokens, calls) = runtime.block_on(play(&folder.path().join("db"), &all));
        prop_assert_eq!((used, used), (tokens, calls));
    }
}

#[tokio::test]
async fn what_was_counted_before_the_first_look_is_in_no_ledger() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("db")).await.unwrap();
    let mut gateway = Gateway::default();
    gateway.series.insert(0, 700);
    let first = store.count(&edge(), &gateway.told(true), rows).await;
    assert_eq!(first.unwrap(), Counting::First);
    assert_eq!(
        store.usage_since(Timestamp::default()).await.unwrap(),
        net_model::UsageTotals::default()
    );
    gateway.series.insert(0, 705);
    let next = store.count(&edge(), &gateway.told(true), rows).await;
    assert_eq!(next.unwrap(), Counting::Rows(1));
    let by = store.spending(Spending::Source, Timestamp::default());
    let [(source, sums)] = &by.await.unwrap()[..] else {
        panic!("one source");
    };
    assert_eq!((source.as_str(), sums.prompt_tokens), ("edge", 5));
    // One row stands for five calls, none of which has a known price.
    assert_eq!((sums.exchanges, sums.unknown_price), (5, 5));
}

#[tokio::test]
async fn a_gateway_that_counted_past_its_old_figures_after_a_start_is_seen_by_its_requests() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("db")).await.unwrap();
    let told = |requests, value| Counters {
        requests,
        series: vec![("a".to_owned(), value)],
    };
    store
        .count(&edge(), &told(Some(90), 10), rows)
        .await
        .unwrap();
    store
        .count(&edge(), &told(Some(7), 30), rows)
        .await
        .unwrap();
    let sums = store.usage_since(Timestamp::default()).await.unwrap();
    assert_eq!(sums.prompt_tokens, 30, "all of it since the start");
    // One counter that falls alone began anew alone.
    let two = Counters {
        requests: Some(8),
        series: vec![("a".to_owned(), 4), ("b".to_owned(), 2)],
    };
    store.count(&edge(), &two, rows).await.unwrap();
    let sums = store.usage_since(Timestamp::default()).await.unwrap();
    assert_eq!(sums.prompt_tokens, 30 + 4 + 2);
    // A page that lacks a counter takes nothing back, and its return counts nothing twice.
    let gone = Counters {
        requests: Some(9),
        series: Vec::new(),
    };
    store.count(&edge(), &gone, rows).await.unwrap();
    store
        .count(
            &edge(),
            &Counters {
                requests: Some(10),
                ..two
            },
            rows,
        )
        .await
        .unwrap();
    let sums = store.usage_since(Timestamp::default()).await.unwrap();
    assert_eq!(sums.prompt_tokens, 30 + 4 + 2);
}
