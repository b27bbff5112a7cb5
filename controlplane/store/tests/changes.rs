//! The record of changes: in order, and nothing altered or taken out unnoticed.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use kill_wire::Timestamp;
use net_model::{DashRole, KeyHash, SignedInBy};
use sqlx::sqlite::SqliteConnectOptions;
use store::{ChangesCheck, NewChange, NewSession, Store};

fn change(n: u64) -> NewChange {
    NewChange {
        at: Timestamp::from_millis(n),
        by: "oidc ada".to_owned(),
        how: SignedInBy::Oidc,
        from: Some("192.0.2.7".parse().unwrap()),
        what: "token.create".to_owned(),
        subject: format!("token-{n}"),
        detail: String::new(),
    }
}

#[tokio::test]
async fn entries_stand_in_order_and_read_as_they_were_written() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("db")).await.unwrap();
    assert_eq!(store.check_changes().await.unwrap(), ChangesCheck::Whole(0));
    for n in 1..=5 {
        assert_eq!(store.keep_change(&change(n)).await.unwrap(), n);
    }
    let newest = store.changes(2, None).await.unwrap();
    assert_eq!(newest.iter().map(|row| row.n).collect::<Vec<_>>(), [5, 4]);
    assert_eq!(newest[0].change, change(5));
    let older = store.changes(10, Some(4)).await.unwrap();
    assert_eq!(older.iter().map(|row| row.n).collect::<Vec<_>>(), [3, 2, 1]);
    assert_eq!(store.check_changes().await.unwrap(), ChangesCheck::Whole(5));

    let long = NewChange {
        detail: "x\u{1b}\n".repeat(5000),
        ..change(6)
    };
    store.keep_change(&long).await.unwrap();
    let kept = store.changes(1, None).await.unwrap();
    assert_eq!(kept[0].change.detail, "x".repeat(400));
    assert_eq!(store.check_changes().await.unwrap(), ChangesCheck::Whole(6));
}

#[tokio::test]
async fn two_that_write_at_once_both_come_through() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let (one, two) = (
        Store::open(&path).await.unwrap(),
        Store::open(&path).await.unwrap(),
    );
    for n in 0..20 {
        let (first, second) = (change(n), change(n));
        let (a, b) = tokio::join!(one.keep_change(&first), two.keep_change(&second));
        assert_eq!(a.unwrap().abs_diff(b.unwrap()), 1);
    }
    assert_eq!(one.check_changes().await.unwrap(), ChangesCheck::Whole(40));
}

#[tokio::test]
async fn whatever_is_altered_or_taken_out_shows() {
    for (statement, broken) in [
        ("update changes set who = 'oidc eve' where n = 3", 3),
        ("update changes set at = 9 where n = 1", 1),
        ("update changes set came_from = null where n = 2", 2),
        ("update changes set how = 'nonsense' where n = 4", 4),
        ("delete from changes where n = 2", 2),
        ("delete from changes where n = 1", 1),
        (
            "update changes set subject = 'token-2t', detail = '' where n = 2",
            2,
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("db");
        let store = Store::open(&path).await.unwrap();
        for n in 1..=4 {
            store.keep_change(&change(n)).await.unwrap();
        }
        let options = SqliteConnectOptions::new().filename(&path);
        let other = sqlx::SqlitePool::connect_with(options).await.unwrap();
        sqlx::query(statement).execute(&other).await.unwrap();
        other.close().await;
        let found = store.check_changes().await.unwrap();
        assert_eq!(found, ChangesCheck::Broken { n: broken }, "{statement}");
    }
}

#[tokio::test]
async fn a_session_keeps_whose_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("db")).await.unwrap();
    let t = Timestamp::from_millis;
    let ada = NewSession {
        role: DashRole::Operator,
        how: SignedInBy::Oidc,
        who: "ada".to_owned(),
        from: Some("2001:db8::1".parse().unwrap()),
        ..NewSession::by_link(t(5), t(50))
    };
    store.create_session(KeyHash::of(b"a"), &ada).await.unwrap();
    store
        .create_session(KeyHash::of(b"b"), &NewSession::by_link(t(6), t(20)))
        .await
        .unwrap();
    let all = store.sessions(t(10), 10).await.unwrap();
    assert_eq!(all.len(), 2);
    assert_eq!(
        (all[0].role, all[0].how),
        (DashRole::Admin, SignedInBy::Link)
    );
    assert_eq!((all[1].who.as_str(), all[1].from), ("ada", ada.from));
    assert_eq!(store.sessions(t(20), 10).await.unwrap().len(), 1);
    let found = store.find_session(KeyHash::of(b"a"), t(10)).await.unwrap();
    assert_eq!(found.unwrap(), all[1]);
}
