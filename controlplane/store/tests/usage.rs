//! Usage is counted exactly once, whatever happens between reading a line and keeping it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use kill_wire::{Class, Incident, Timestamp};
use net_model::{Api, Ended, MicroDollars, UsageRecord, UsageTotals};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use store::{Cursor, NewSession, Spending, Store, StoreError};

struct House {
    _folder: tempfile::TempDir,
    path: PathBuf,
    store: Store,
}

async fn house() -> House {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("portcullis.db");
    let store = Store::open(&path).await.unwrap();
    House {
        _folder: folder,
        path,
        store,
    }
}

fn record(id: &str, at: u64, tokens: u64) -> UsageRecord {
    UsageRecord {
        id: id.to_owned(),
        at: Timestamp::from_millis(at),
        consumer: "claw".parse().unwrap(),
        route: "chat".parse().unwrap(),
        target: "ollama".parse().unwrap(),
        class: Class::Local,
        model: "smol".to_owned(),
        stream: true,
        status: 200,
        prompt_tokens: tokens,
        completion_tokens: tokens * 2,
        estimated: id.ends_with('e'),
        took_ms: 12,
        ended: Ended::Cut,
        incident: Some(Incident::FIRST),
        api: Api::Chat,
        cached_tokens: 0,
        reasoning_tokens: 0,
        cost: None,
        fell_back_from: None,
        first_byte_ms: Some(3),
    }
}

fn at(file: u64, offset: u64) -> Cursor {
    Cursor { file, offset }
}

#[tokio::test]
async fn the_same_lines_again_change_nothing() {
    let house = house().await;
    let lines = [record("a-1", 1000, 5), record("a-2e", 2000, 7)];

    assert_eq!(house.store.ingest(&lines, &at(1, 200)).await.unwrap(), 2);
    assert_eq!(house.store.ingest(&lines, &at(1, 200)).await.unwrap(), 0);

    let totals = house.store.usage_since(Timestamp::default()).await.unwrap();
    let wanted = UsageTotals {
        exchanges: 2,
        prompt_tokens: 12,
        completion_tokens: 24,
        estimated: 1,
        cost: MicroDollars::ZERO,
        unknown_price: 2,
    };
    assert_eq!(totals, wanted);
    let by = house
        .store
        .usage_by_consumer(Timestamp::default())
        .await
        .unwrap();
    assert_eq!(by.len(), 1);
    assert_eq!(by[0].totals, wanted);
    assert_eq!(house.store.cursor().await.unwrap(), at(1, 200));
}

#[tokio::test]
async fn money_is_added_up_by_any_side_and_the_unknown_apart() {
    let house = house().await;
    let day = 86_400_000;
    let priced = |id: &str, at, model: &str, cost: Option<u64>| UsageRecord {
        model: model.to_owned(),
        cost: cost.map(MicroDollars),
        api: Api::Messages,
        fell_back_from: Some("home".parse().unwrap()),
        ..record(id, at, 1)
    };
    let lines = [
        priced("a-1", 1, "opus", Some(2_500_000)),
        priced("a-2", day, "opus", Some(1)),
        priced("a-3", day, "strange", None),
        priced("a-4", 2 * day, "free", Some(0)),
    ];
    house.store.ingest(&lines, &at(1, 1)).await.unwrap();

    let spent = async |by, since| {
        let rows = house
            .store
            .spending(by, Timestamp::from_millis(since))
            .await
            .unwrap();
        let figures = rows
            .into_iter()
            .map(|(name, it)| (name, it.cost.0, it.unknown_price));
        figures.collect::<Vec<_>>()
    };
    let row = |name: &str, cost, unknown| (name.to_owned(), cost, unknown);
    assert_eq!(
        spent(Spending::Model, 0).await,
        [
            row("free", 0, 0),
            row("opus", 2_500_001, 0),
            row("strange", 0, 1)
        ]
    );
    assert_eq!(
        spent(Spending::Day, day).await,
        [row("1", 1, 1), row("2", 0, 0)]
    );
    for (by, name) in [
        (Spending::Consumer, "claw"),
        (Spending::Route, "chat"),
        (Spending::Target, "ollama"),
    ] {
        assert_eq!(spent(by, 0).await, [row(name, 2_500_001, 1)]);
    }
}

#[tokio::test]
async fn a_batch_dropped_half_way_leaves_neither_rows_nor_cursor() {
    let house = house().await;
    house
        .store
        .ingest(&[record("a-1", 1000, 5)], &at(1, 100))
        .await
        .unwrap();
    let many: Vec<UsageRecord> = (0..400)
        .map(|n| record(&format!("b-{n}"), 1000, 1))
        .collect();

    // The future is dropped at whatever statement it has reached, as when the process stops.
    let limit = std::time::Duration::from_millis(3);
    let finished = tokio::time::timeout(limit, house.store.ingest(&many, &at(1, 999)))
        .await
        .is_ok();

    house.store.close().await;
    let again = Store::open(&house.path).await.unwrap();
    let exchanges = again
        .usage_since(Timestamp::default())
        .await
        .unwrap()
        .exchanges;
    let wanted = if finished {
        (401, at(1, 999))
    } else {
        (1, at(1, 100))
    };
    // The timeout may strike after the commit: then both are there. Never one without the other.
    let seen = (exchanges, again.cursor().await.unwrap());
    assert!(seen == wanted || seen == (401, at(1, 999)), "{seen:?}");
    again.ingest(&many, &at(1, 999)).await.unwrap();
    let totals = again.usage_since(Timestamp::default()).await.unwrap();
    assert_eq!(totals.exchanges, 401);
}

#[tokio::test]
async fn an_upstream_that_lies_cannot_stop_the_ledger() {
    let house = house().await;
    let mut lie = record("a-1", 1000, 0);
    lie.prompt_tokens = u64::MAX;
    lie.completion_tokens = u64::MAX;
    lie.took_ms = u64::MAX;
    house.store.ingest(&[lie], &at(1, 1)).await.unwrap();
    house
        .store
        .ingest(&[record("a-2", 1000, 1)], &at(1, 2))
        .await
        .unwrap();

    let totals = house.store.usage_since(Timestamp::default()).await.unwrap();
    assert_eq!(totals.prompt_tokens, 1_000_000_000_001);
}

#[tokio::test]
async fn minutes_are_whole_and_end_with_the_running_one() {
    let house = house().await;
    let now = Timestamp::from_millis(120 * 60_000 + 30_000);
    let start = store::hour_start(now).millis();
    let lines = [
        record("too-old", start - 1, 100),
        record("first", start, 1),
        record("last", now.millis(), 2),
        record("ahead", now.millis() + 90_000, 3),
    ];
    house.store.ingest(&lines, &at(1, 1)).await.unwrap();

    let minutes = house.store.tokens_per_minute(now).await.unwrap();

    assert_eq!(minutes.len(), 60);
    assert_eq!((minutes[0], minutes[59]), (3, 15));
    assert_eq!(minutes.iter().sum::<u64>(), 18);
}

#[tokio::test]
async fn sessions_end_by_time_by_hand_and_by_purge() {
    let house = house().await;
    let hash = |n: u8| net_model::KeyHash::of(&[n]);
    let t = Timestamp::from_millis;
    for n in 0..3 {
        house
            .store
            .create_session(hash(n), &NewSession::by_link(t(100), t(200 + u64::from(n))))
            .await
            .unwrap();
    }
    assert!(
        house
            .store
            .create_session(hash(0), &NewSession::by_link(t(1), t(2)))
            .await
            .is_err()
    );

    let found = house.store.find_session(hash(0), t(199)).await.unwrap();
    assert_eq!(
        found.map(|s| (s.created, s.expires)),
        Some((t(100), t(200)))
    );
    assert_eq!(
        house.store.find_session(hash(0), t(200)).await.unwrap(),
        None
    );
    assert!(house.store.delete_session(hash(2)).await.unwrap());
    assert!(!house.store.delete_session(hash(2)).await.unwrap());
    assert_eq!(
        house.store.find_session(hash(2), t(100)).await.unwrap(),
        None
    );
    assert_eq!(house.store.purge_sessions(t(200)).await.unwrap(), 1);
    assert!(
        house
            .store
            .find_session(hash(1), t(200))
            .await
            .unwrap()
            .is_some()
    );
}

#[tokio::test]
async fn the_files_are_the_owners_alone() {
    let house = house().await;
    std::fs::set_permissions(&house.path, std::fs::Permissions::from_mode(0o644)).unwrap();
    house.store.close().await;
    let again = Store::open(&house.path).await.unwrap();
    again
        .ingest(&[record("a-1", 1, 1)], &at(1, 1))
        .await
        .unwrap();
    for suffix in ["", "-wal", "-shm"] {
        let file = format!("{}{suffix}", house.path.display());
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

#[tokio::test]
async fn a_damaged_database_is_reported_with_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("portcullis.db");
    std::fs::write(&path, vec![b'x'; 8192]).unwrap();

    let error = Store::open(&path).await.unwrap_err();

    assert!(matches!(
        error,
        StoreError::Open { .. } | StoreError::Migrate { .. }
    ));
    assert!(error.to_string().contains("aside"), "{error}");
    std::fs::rename(&path, folder.path().join("aside.db")).unwrap();
    Store::open(&path).await.unwrap();
}

#[tokio::test]
async fn fallbacks_are_told_pair_by_pair_the_last_first() {
    let house = house().await;
    let fell = |id: &str, at, from: &str, to: &str| UsageRecord {
        target: to.parse().unwrap(),
        fell_back_from: Some(from.parse().unwrap()),
        ..record(id, at, 1)
    };
    let lines = [
        record("a-1", 9000, 5),
        fell("a-2", 500, "box", "sky"),
        fell("a-3", 2000, "box", "sky"),
        fell("a-4", 4000, "box", "sky"),
        fell("a-5", 3000, "box", "lab"),
    ];
    house.store.ingest(&lines, &at(1, 200)).await.unwrap();

    let since = Timestamp::from_millis(1000);
    let told = house.store.fallbacks(since, 9).await.unwrap();

    let shown: Vec<(&str, &str, u64, u64)> = told
        .iter()
        .map(|it| (it.from.as_str(), it.to.as_str(), it.times, it.last.millis()))
        .collect();
    assert_eq!(shown, [("box", "sky", 2, 4000), ("box", "lab", 1, 3000)]);
    assert_eq!(house.store.fallbacks(since, 1).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_was_used_since_an_instant_is_the_rest_of_its_day_and_every_day_after_it() {
    const DAY: u64 = 86_400_000;
    let house = house().await;
    let ends = [
        DAY / 2,
        DAY - 1,
        DAY,
        DAY + DAY / 2,
        3 * DAY - 1,
        9 * DAY + 7,
    ];
    let lines = ends
        .iter()
        .zip(0..)
        .map(|(end, n): (&u64, u32)| UsageRecord {
            model: format!("m{}", n % 2),
            ..record(&format!("a-{n}"), *end, 1 << n)
        });
    let lines: Vec<UsageRecord> = lines.collect();
    house.store.ingest(&lines, &at(1, 1)).await.unwrap();

    let around = ends.iter().flat_map(|end| [end - 1, *end, end + 1]);
    for since in around.chain([0, 20 * DAY]) {
        let instant = Timestamp::from_millis(since);
        let later = lines.iter().filter(|it| it.at >= instant);
        let sum: u64 = later.clone().map(|it| it.prompt_tokens).sum();
        let totals = house.store.usage_since(instant).await.unwrap();
        let counted = later.clone().count() as u64;
        assert_eq!((totals.exchanges, totals.prompt_tokens), (counted, sum));
        for by in [Spending::Model, Spending::Consumer, Spending::Day] {
            let rows = house.store.spending(by, instant).await.unwrap();
            let all = rows.iter().map(|(_, it)| it.prompt_tokens);
            assert_eq!(all.sum::<u64>(), sum, "{by:?} since {since}");
            let mut names: Vec<&String> = rows.iter().map(|(name, _)| name).collect();
            names.dedup();
            assert_eq!(names.len(), rows.len(), "each name once");
        }
    }
}

#[tokio::test]
async fn consumers_are_shown_with_their_day_and_when_they_were_seen_last() {
    const DAY: u64 = 86_400_000;
    let house = house().await;
    let of = |id: &str, consumer: &str, at| UsageRecord {
        consumer: consumer.parse().unwrap(),
        cost: Some(MicroDollars(5)),
        ..record(id, at, 1)
    };
    let lines = [
        of("a-1", "claw", 3 * DAY + 1),
        of("a-2", "claw", 4 * DAY),
        of("a-3", "claw", 4 * DAY + 9),
        of("a-4", "paw", 2 * DAY),
    ];
    house.store.ingest(&lines, &at(1, 1)).await.unwrap();

    let noon = Timestamp::from_millis(4 * DAY + DAY / 2);
    let names = ["paw", "claw", "nobody"];
    let seen = house.store.consumers_seen(&names, noon).await.unwrap();

    let figures: Vec<_> = seen
        .iter()
        .map(|it| (it.last.map(Timestamp::millis), it.exchanges, it.tokens))
        .collect();
    assert_eq!(
        figures,
        [
            (Some(2 * DAY), 0, 0),
            (Some(4 * DAY + 9), 2, 6),
            (None, 0, 0)
        ]
    );
    assert_eq!(seen[1].cost, MicroDollars(10));
}

#[tokio::test]
async fn a_source_knows_its_newest_call_and_no_other_s() {
    let house = house().await;
    let source = "proxy".parse().unwrap();
    assert_eq!(house.store.newest_of(&source).await.unwrap(), None);
    let own = [record("a-1", 9000, 1)];
    house.store.ingest(&own, &at(1, 1)).await.unwrap();
    let told = [record("b-1", 500, 1), record("b-2", 700, 1)];
    house.store.take_in(&source, &told).await.unwrap();
    let newest = house.store.newest_of(&source).await.unwrap();
    assert_eq!(newest, Some(Timestamp::from_millis(700)));
}
