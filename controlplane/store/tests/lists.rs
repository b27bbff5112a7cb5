//! Lists are read a page at a time, and what comes between two pages moves nothing.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use kill_wire::Timestamp;
use net_model::{AlertView, Dial, HostName, HostRole, KeyHash};
use store::{AlertMark, HostQuery, Invitation, Store};

async fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("db")).await.unwrap();
    (folder, store)
}

fn alert(id: u64, host: &str, over: bool) -> AlertView {
    AlertView {
        id,
        rule: "disk".to_owned(),
        host: Some(host.parse().unwrap()),
        subject: id.to_string(),
        text: "full".to_owned(),
        since: Timestamp::from_millis(id),
        ended: over.then(|| Timestamp::from_millis(id + 1)),
        quiet: false,
        told: None,
    }
}

async fn alerts(store: &Store, host: Option<&HostName>, size: u32) -> Vec<u64> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = store.alerts(host, after, size).await.unwrap();
        assert!(page.len() <= size as usize);
        let Some(last) = page.last() else {
            return all;
        };
        after = Some(AlertMark {
            fires: last.ended.is_none(),
            id: last.id,
        });
        all.extend(page.iter().map(|it| it.id));
    }
}

#[tokio::test]
async fn alerts_go_by_what_fires_and_then_by_age_over_all_pages() {
    let (_folder, store) = store().await;
    let all: Vec<AlertView> = (1..=9)
        .map(|id| alert(id, if id % 3 == 0 { "b" } else { "a" }, id % 2 == 0))
        .collect();
    store.keep_alerts(&all).await.unwrap();
    for size in 1..=10 {
        assert_eq!(
            alerts(&store, None, size).await,
            [9, 7, 5, 3, 1, 8, 6, 4, 2],
            "pages of {size}"
        );
        let b = "b".parse().unwrap();
        assert_eq!(alerts(&store, Some(&b), size).await, [9, 3, 6]);
    }
}

#[tokio::test]
async fn hosts_go_by_zone_and_name_over_all_pages() {
    let (_folder, store) = store().await;
    let now = Timestamp::from_millis(1000);
    for (name, zone) in [("c", "one"), ("a", "two"), ("b", "one"), ("d", "two")] {
        let invitation = Invitation {
            name: name.parse().unwrap(),
            zone: zone.parse().unwrap(),
            roles: [HostRole::Other].into(),
            dial: Dial::Out,
            address: None,
            token: KeyHash::of(name.as_bytes()),
            expires: now.plus_millis(9),
        };
        assert!(store.invite_host(&invitation, false, now).await.unwrap());
    }
    for size in 1..=5 {
        let (mut names, mut query) = (String::new(), HostQuery::default());
        loop {
            let page = store.host_lines(&query, 0, size).await.unwrap();
            let Some(last) = page.last() else {
                break;
            };
            query.after = Some((last.zone.clone(), last.name.clone()));
            names.extend(page.iter().map(|it| it.name.to_string()));
        }
        assert_eq!(names, "bcad", "pages of {size}");
    }
}
