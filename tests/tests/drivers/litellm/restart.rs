//! An agent that starts anew during a cut still unblocks what it blocked, and nothing else.

use super::{furnished, overlay, seq};
use gateways::{Driver, Gateway as _, Litellm, LitellmCutBy, LitellmSettings};
use net_model::Secret;
use site_tests::litellm::{Double, MASTER};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// The driver of an agent whose state is in this folder.
pub(super) fn remembering(double: &Double, cut_by: LitellmCutBy, state: &Path) -> Driver {
    let litellm = Litellm::new(LitellmSettings {
        at: double.at,
        master_key: Secret::new(MASTER).unwrap(),
        cut_by,
        sever: false,
    });
    Driver::Litellm(litellm).remembering(state, "proxy")
}

pub(super) fn record(state: &Path) -> PathBuf {
    state.join("blocked-proxy.json")
}

/// Waits until the record says that just these keys and models are ours.
pub(super) async fn written(state: &Path, ours: &[&str]) {
    let begun = Instant::now();
    loop {
        let text = std::fs::read_to_string(record(state)).unwrap_or_default();
        let said: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        let mut found = Vec::new();
        for kind in ["keys", "models"] {
            let ids = said[kind].as_array().into_iter().flatten();
            found.extend(ids.filter_map(|id| id.as_str()).map(|id| {
                let id = id.trim_start_matches("hash-of-");
                id.trim_start_matches("id-of-").to_owned()
            }));
        }
        if found == ours {
            return;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "never written down: {ours:?}; {text}"
        );
        sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn what_an_earlier_process_blocked_is_unblocked_by_a_restore_and_nothing_else() {
    let double = furnished().await;
    double.block("rag");
    let state = tempfile::tempdir().unwrap();
    let by = LitellmCutBy::Keys;
    let before = remembering(&double, by, state.path());
    before.apply(&overlay(1, &["ALL"])).await.unwrap();
    assert_eq!(double.blocked(), ["claw", "rag"]);
    written(state.path(), &["claw"]).await;
    drop(before);

    let after = remembering(&double, by, state.path());
    assert_eq!(after.observe().await.unwrap().seq, None);
    after.apply(&overlay(1, &["ALL"])).await.unwrap();
    let notices = after.observe().await.unwrap().notices;
    let named = "left so by a restore: rag";
    assert!(notices.iter().any(|it| it.ends_with(named)), "{notices:?}");
    after.apply(&overlay(2, &[])).await.unwrap();
    assert_eq!(double.blocked(), ["rag"]);
    written(state.path(), &[]).await;
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(record(state.path())).unwrap();
    assert_eq!(mode.permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn what_somebody_lifted_and_blocked_again_while_nobody_looked_is_ours_no_more_after_a_look() {
    let double = furnished().await;
    let state = tempfile::tempdir().unwrap();
    let by = LitellmCutBy::Keys;
    let before = remembering(&double, by, state.path());
    before.apply(&overlay(1, &["claw"])).await.unwrap();
    written(state.path(), &["claw"]).await;
    drop(before);
    double.unblock("claw");
    let after = remembering(&double, by, state.path());
    after.apply(&overlay(2, &[])).await.unwrap();
    written(state.path(), &[]).await;
    double.block("claw");
    after.apply(&overlay(3, &[])).await.unwrap();
    assert_eq!(double.blocked(), ["claw"]);
}

#[tokio::test]
async fn with_another_cut_by_what_the_old_one_blocked_goes_once_the_new_one_holds() {
    let double = furnished().await;
    let state = tempfile::tempdir().unwrap();
    let before = remembering(&double, LitellmCutBy::Keys, state.path());
    before.apply(&overlay(1, &["ALL"])).await.unwrap();
    written(state.path(), &["claw", "rag"]).await;
    drop(before);
    let after = remembering(&double, LitellmCutBy::Models, state.path());
    after.apply(&overlay(1, &["ALL"])).await.unwrap();
    assert_eq!(double.blocked(), ["gpt", "llama"]);
    after.apply(&overlay(2, &[])).await.unwrap();
    assert_eq!(double.blocked().len(), 0);
    drop(after);

    let before = remembering(&double, LitellmCutBy::Keys, state.path());
    before.apply(&overlay(3, &["claw"])).await.unwrap();
    written(state.path(), &["claw"]).await;
    drop(before);
    // Nobody may unblock without being able to block: it is named.
    let none = remembering(&double, LitellmCutBy::None, state.path());
    none.apply(&overlay(4, &[])).await.unwrap();
    let notices = none.observe().await.unwrap().notices;
    let named = "and left so: claw";
    assert!(notices.iter().any(|it| it.ends_with(named)), "{notices:?}");
    assert_eq!(double.blocked(), ["claw"]);
}

#[tokio::test]
async fn a_record_that_cannot_be_read_or_written_makes_nothing_ours_and_is_said() {
    let double = furnished().await;
    double.block("claw");
    let state = tempfile::tempdir().unwrap();
    std::fs::write(record(state.path()), "{\"keys\":[\"hash-of-cl").unwrap();
    let driver = remembering(&double, LitellmCutBy::Keys, state.path());
    let said = |notices: &[String]| notices.iter().any(|it| it.contains("is not on the disk"));
    assert!(said(&driver.observe().await.unwrap().notices));
    driver.apply(&overlay(1, &["ALL"])).await.unwrap();
    written(state.path(), &["rag"]).await;
    driver.apply(&overlay(2, &[])).await.unwrap();
    assert_eq!(double.blocked(), ["claw"]);

    // A folder that is gone delays no cut.
    let gone = state.path().join("gone");
    let driver = remembering(&double, LitellmCutBy::Keys, &gone);
    driver.apply(&overlay(3, &["ALL"])).await.unwrap();
    assert_eq!(seq_of(&driver).await, Some(3));
    let begun = Instant::now();
    while !said(&driver.observe().await.unwrap().notices) {
        assert!(begun.elapsed() < Duration::from_secs(10), "never said");
        sleep(Duration::from_millis(5)).await;
    }
    driver.apply(&overlay(4, &[])).await.unwrap();
    assert_eq!(double.blocked(), ["claw"]);
}

async fn seq_of(driver: &Driver) -> Option<u64> {
    driver.observe().await.unwrap().seq
}

#[tokio::test]
async fn a_block_that_comes_about_after_the_restore_is_still_ours_and_is_lifted() {
    use site_tests::litellm::{Fault, Trouble};
    let double = furnished().await;
    let driver = super::driver(&double, LitellmCutBy::Keys);
    driver.apply(&overlay(1, &[])).await.unwrap();
    double.fault(Fault {
        trouble: Trouble::DoneLate(Duration::from_millis(1500)),
        writes: true,
        spares: 0,
        times: 2,
    });
    // Neither is answered.
    driver.apply(&overlay(2, &["ALL"])).await.unwrap_err();
    driver.apply(&overlay(3, &[])).await.unwrap();
    let begun = Instant::now();
    while double.unfinished() > 0 {
        sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(double.blocked().len(), 2);
    while !double.blocked().is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(20), "never lifted");
        if seq(&driver).await != Some(3) {
            driver.apply(&overlay(3, &[])).await.unwrap();
        }
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn an_overlay_older_than_one_it_has_heard_of_is_refused() {
    let double = furnished().await;
    let driver = super::driver(&double, LitellmCutBy::Keys);
    driver.apply(&overlay(5, &["ALL"])).await.unwrap();
    let why = driver.apply(&overlay(4, &[])).await.unwrap_err();
    assert!(why.to_string().contains("older than 5"), "{why}");
    assert_eq!(double.blocked().len(), 2);
}
