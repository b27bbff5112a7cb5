//! The LiteLLM driver against a double.
//!
//! What needs LiteLLM's database (keys, blocks) cannot be had in a test run: the double is written from LiteLLM 1.102.4's
//! source and from the answers it gave without one. What works without a database is tried against the real LiteLLM in
//! `tests/stories/test_litellm_driver.py`.

mod restart;
mod walk;

use gateways::{Finding, Gateway, GatewayError, Litellm, LitellmCutBy, LitellmSettings};
use kill_wire::{Class, Latch, LatchSet, Timestamp};
use net_model::{Overlay, Secret};
use site_tests::litellm::{Double, MASTER};
use std::time::Duration;

fn driver(double: &Double, cut_by: LitellmCutBy) -> Litellm {
    Litellm::new(LitellmSettings {
        at: double.at,
        master_key: Secret::new(MASTER).unwrap(),
        cut_by,
        sever: false,
    })
}

fn overlay(seq: u64, scopes: &[&str]) -> Overlay {
    let mut latches = LatchSet::default();
    for (number, scope) in (1..).zip(scopes) {
        let latch = Latch {
            incident: number.try_into().unwrap(),
            scope: scope.parse().unwrap(),
            since: Timestamp::from_millis(1),
        };
        latches.push(latch).unwrap();
    }
    Overlay {
        seq,
        latches,
        ..Overlay::default()
    }
}

/// The double with two keys and two models, all of them in its database.
async fn furnished() -> Double {
    let double = Double::start().await;
    double.key("claw");
    double.key("rag");
    double.model("llama", "http://10.0.0.7:11434", true);
    double.model("gpt", "https://api.example.com/v1", true);
    double
}

async fn seq(driver: &Litellm) -> Option<u64> {
    driver.observe().await.unwrap().seq
}

#[tokio::test]
async fn it_says_what_there_is_and_names_no_overlay_before_the_first() {
    let double = furnished().await;
    let seen = driver(&double, LitellmCutBy::Keys).observe().await.unwrap();
    let names = |of: &[kill_wire::Name]| of.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names(&seen.routes), ["gpt", "llama"]);
    assert_eq!(names(&seen.consumers), ["claw", "rag"]);
    assert_eq!((seen.seq, seen.points.points.len()), (None, 4));
    assert!(
        !format!("{seen:?}").contains("hash-of"),
        "no hash of a key leaves the driver"
    );
}

#[tokio::test]
async fn its_models_stand_where_they_lead_to_and_say_when_they_are_blocked() {
    let double = furnished().await;
    let driver = driver(&double, LitellmCutBy::Models);
    let told = async || {
        let seen = driver.observe().await.unwrap();
        let views = seen.targets.into_iter();
        views
            .map(|it| (it.name.to_string(), it.class, it.why))
            .collect::<Vec<_>>()
    };
    driver.apply(&overlay(1, &[])).await.unwrap();
    let (gpt, llama) = ("gpt".to_owned(), "llama".to_owned());
    let open = [
        (gpt.clone(), Class::Cloud, None),
        (llama.clone(), Class::Local, None),
    ];
    assert_eq!(told().await, open);
    driver.apply(&overlay(2, &["CLOUD"])).await.unwrap();
    let why = Some("blocked in LiteLLM".to_owned());
    let cut = [(gpt, Class::Cloud, why), (llama, Class::Local, None)];
    assert_eq!(told().await, cut);
    driver.apply(&overlay(3, &[])).await.unwrap();
    assert_eq!(told().await, open);
}

#[tokio::test]
async fn a_cut_blocks_a_restore_unblocks_and_both_are_read_back() {
    let double = furnished().await;
    let driver = driver(&double, LitellmCutBy::Keys);
    driver.apply(&overlay(1, &[])).await.unwrap();
    assert_eq!((seq(&driver).await, double.blocked().len()), (Some(1), 0));

    driver.apply(&overlay(2, &["claw"])).await.unwrap();
    assert_eq!(double.blocked(), ["claw"]);
    let seen = driver.observe().await.unwrap();
    assert_eq!(seen.seq, Some(2));
    assert!(
        seen.notices.iter().any(|it| it.contains("60 s")),
        "{:?}",
        seen.notices
    );

    driver.apply(&overlay(3, &["ALL"])).await.unwrap();
    assert_eq!(
        (double.blocked(), seq(&driver).await),
        (vec!["claw".to_owned(), "rag".to_owned()], Some(3))
    );
    driver.apply(&overlay(4, &[])).await.unwrap();
    assert_eq!((double.blocked().len(), seq(&driver).await), (0, Some(4)));
}

#[tokio::test]
async fn what_somebody_else_blocked_stays_blocked_after_a_restore() {
    let double = furnished().await;
    double.block("rag");
    let driver = driver(&double, LitellmCutBy::Keys);
    driver.apply(&overlay(1, &["ALL"])).await.unwrap();
    driver.apply(&overlay(2, &[])).await.unwrap();
    assert_eq!(double.blocked(), ["rag"]);
    let notices = driver.observe().await.unwrap().notices;
    assert!(
        notices
            .iter()
            .any(|it| it.contains("blocked by somebody else") && it.contains("rag")),
        "{notices:?}"
    );
}

#[tokio::test]
async fn a_block_that_somebody_lifts_is_not_claimed_any_more() {
    let double = furnished().await;
    let driver = driver(&double, LitellmCutBy::Keys);
    driver.apply(&overlay(1, &["ALL"])).await.unwrap();
    assert_eq!(seq(&driver).await, Some(1));
    double.unblock("claw");
    // A look counts for two seconds.
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    while seq(&driver).await.is_some() {
        assert!(tokio::time::Instant::now() < deadline, "still claimed");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    driver.apply(&overlay(1, &["ALL"])).await.unwrap();
    assert_eq!((double.blocked().len(), seq(&driver).await), (2, Some(1)));
}

#[tokio::test]
async fn a_key_made_during_a_cut_is_blocked_when_told_again() {
    let double = furnished().await;
    let driver = driver(&double, LitellmCutBy::Keys);
    driver.apply(&overlay(1, &["ALL"])).await.unwrap();
    double.key("late");
    driver.apply(&overlay(1, &["ALL"])).await.unwrap();
    assert_eq!(double.blocked(), ["claw", "late", "rag"]);
}

#[tokio::test]
async fn models_are_blocked_one_by_one_and_those_of_its_file_fail_the_cut() {
    let double = furnished().await;
    let by_models = driver(&double, LitellmCutBy::Models);
    by_models.apply(&overlay(1, &["CLOUD"])).await.unwrap();
    assert_eq!(
        (double.blocked(), seq(&by_models).await),
        (vec!["gpt".to_owned()], Some(1))
    );
    by_models.apply(&overlay(2, &[])).await.unwrap();
    assert_eq!(double.blocked().len(), 0);

    double.model("of-the-file", "", false);
    let why = by_models
        .apply(&overlay(3, &["ALL"]))
        .await
        .unwrap_err()
        .to_string();
    assert!(
        why.contains("of-the-file") && why.contains("cannot be blocked"),
        "{why}"
    );
    // What could be blocked is.
    assert_eq!(double.blocked(), ["gpt", "llama"]);
    assert_ne!(seq(&by_models).await, Some(3));
    let found = by_models.check().await.unwrap();
    assert!(
        found
            .iter()
            .any(|it| it.grave && it.text.contains("of-the-file")),
        "{found:?}"
    );
}

#[tokio::test]
async fn without_a_database_a_cut_fails_unless_it_was_said_that_it_cannot() {
    let double = furnished().await;
    double.without_database();
    let by_keys = driver(&double, LitellmCutBy::Keys);
    by_keys.apply(&overlay(1, &[])).await.unwrap();
    assert_eq!(seq(&by_keys).await, Some(1));
    let why = by_keys.apply(&overlay(2, &["ALL"])).await.unwrap_err();
    assert!(
        matches!(&why, GatewayError::Refused(text) if text.contains("no database")),
        "{why}"
    );
    assert_ne!(seq(&by_keys).await, Some(2));
    let found = by_keys.check().await.unwrap();
    assert!(
        matches!(&found[..], [Finding { grave: true, text }] if text.contains("cut_by = \"none\"")),
        "{found:?}"
    );

    let none = driver(&double, LitellmCutBy::None);
    none.apply(&overlay(2, &["ALL"])).await.unwrap();
    let seen = none.observe().await.unwrap();
    assert_eq!(seen.seq, Some(2));
    assert!(
        seen.notices[0].contains("refuses nobody here"),
        "{:?}",
        seen.notices
    );
    let found = none.check().await.unwrap();
    assert!(found.iter().all(|it| !it.grave), "{found:?}");
}

#[tokio::test]
async fn an_answer_that_never_comes_leaves_it_unknown_and_the_next_look_tells() {
    let double = furnished().await;
    let driver = driver(&double, LitellmCutBy::Keys);
    driver.apply(&overlay(1, &[])).await.unwrap();
    double.carry_out_in_silence(true);
    let failed = driver.apply(&overlay(2, &["ALL"])).await;
    assert!(matches!(failed, Err(GatewayError::Silent(_))), "{failed:?}");
    double.carry_out_in_silence(false);
    // It was carried out all the same; nothing is claimed before it was told again.
    assert_eq!(double.blocked().len(), 2);
    assert_ne!(seq(&driver).await, Some(2));
    driver.apply(&overlay(2, &["ALL"])).await.unwrap();
    assert_eq!(seq(&driver).await, Some(2));
    // And it is ours: a restore opens it.
    driver.apply(&overlay(3, &[])).await.unwrap();
    assert_eq!(double.blocked().len(), 0);
}

#[tokio::test]
async fn a_wrong_key_is_refused_in_words_that_quote_nothing() {
    let double = furnished().await;
    let wrong = Litellm::new(LitellmSettings {
        at: double.at,
        master_key: Secret::new("sk-wrong-wrong-wrong").unwrap(),
        cut_by: LitellmCutBy::Keys,
        sever: false,
    });
    let why = wrong.observe().await.unwrap_err().to_string();
    assert!(
        why.contains("not its master key") && !why.contains("sk-"),
        "{why}"
    );
    assert!(!format!("{wrong:?}").contains("sk-"), "{wrong:?}");
}

#[tokio::test]
async fn hundreds_of_keys_are_read_page_by_page_and_blocked_within_an_order() {
    let double = Double::start().await;
    double.model("llama", "http://10.0.0.7", true);
    for n in 0..230 {
        double.key(&format!("key{n}"));
    }
    let driver = driver(&double, LitellmCutBy::Keys);
    driver.apply(&overlay(1, &["ALL"])).await.unwrap();
    assert_eq!((double.blocked().len(), seq(&driver).await), (230, Some(1)));
}
