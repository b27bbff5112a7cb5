//! What nginx alone can do wrong: it was told to take in another file, nobody renews its lease, it was set up otherwise.

mod walk;

use crate::ask::{LIMIT, ask_all, fresh, kept, overlay, until, until_in_force};
use gateways::{Driver, Gateway as _, Mode, Nginx, Passage, Wanted};
use site_tests::driven::{Answer, KEYS, Kind, NGINX, Site, wanted};
use std::fs;
use std::path::Path;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// An nginx with everything open; none where this machine has no nginx.
async fn open() -> Option<Site> {
    if !Path::new(NGINX).exists() {
        eprintln!("SKIPPED: no {NGINX}");
        return None;
    }
    let site = Site::start(Kind::Nginx).await.unwrap();
    until_in_force(&site.driver, &overlay(1, &[], &[])).await;
    until(&site, "claw", &Answer::Served).await;
    Some(site)
}

fn fewer(site: &Site) -> Wanted {
    let mut wanted = wanted(&site.upstream.base_url()).unwrap();
    wanted.keys.remove(&KEYS[0].0.parse().unwrap());
    wanted
}

#[tokio::test]
async fn workers_that_end_refuse_as_those_that_begin() {
    let Some(mut site) = open().await else { return };
    let mut clients = kept(&site, "claw", 8).await;
    let mut stream = site.door("claw").unwrap().stream().await.unwrap();
    let before = site.nginx().unwrap().workers();
    site.nginx().unwrap().reload().unwrap();
    let begun = Instant::now();
    // The one that serves the stream stays until it has ended.
    while site.nginx().unwrap().workers().len() < before.len() + 1 {
        assert!(begun.elapsed() < LIMIT, "no worker was replaced");
        sleep(Duration::from_millis(5)).await;
    }
    let told = site.driver.apply(&overlay(2, &[("ALL", 5)], &[])).await;
    for answer in ask_all(&mut clients).await {
        assert!(
            matches!(answer, Answer::Cut(5) | Answer::Ended),
            "{answer:?}"
        );
    }
    until(&site, "claw", &Answer::Cut(5)).await;
    if fence::may_sever().is_ok() {
        assert!(told.unwrap().severed >= 1);
        assert!(stream.ends(LIMIT).await);
    }
}

#[tokio::test]
async fn a_cut_is_in_force_although_the_configuration_is_broken_and_a_reload_would_fail() {
    let Some(mut site) = open().await else { return };
    site.nginx().unwrap().configure("nonsense;", "").unwrap();
    let drift = site
        .driver
        .reconcile(&fewer(&site), Mode::Repair)
        .await
        .unwrap();
    assert!(drift.failed[0].contains("nonsense"), "{drift:?}");
    let cut = overlay(2, &[("ALL", 5)], &[]);
    until_in_force(&site.driver, &cut).await;
    assert_eq!(fresh(&site, "claw").await, Answer::Cut(5));
    let findings = site.driver.check().await.unwrap();
    let would = findings
        .iter()
        .find(|found| found.text.contains("would not start"));
    assert!(would.is_some_and(|found| found.grave), "{findings:?}");
}

#[tokio::test]
async fn whoever_is_cut_by_a_name_that_nginx_has_not_learned_yet_is_cut_with_everybody() {
    let Some(mut site) = open().await else { return };
    // Each has the other's key from now on, and nginx does not take it in.
    let mut exchanged = wanted(&site.upstream.base_url()).unwrap();
    let mut keys = KEYS.map(|(_, key, _)| net_model::Secret::new(key).unwrap());
    keys.reverse();
    for ((name, _, _), key) in KEYS.into_iter().zip(keys) {
        exchanged.keys.insert(name.parse().unwrap(), key);
    }
    site.nginx().unwrap().configure("nonsense;", "").unwrap();
    let drift = site.driver.reconcile(&exchanged, Mode::Repair).await;
    assert!(!drift.unwrap().failed.is_empty());
    until_in_force(&site.driver, &overlay(2, &[("paw", 5)], &[])).await;
    for consumer in ["claw", "paw"] {
        until(&site, consumer, &Answer::Cut(5)).await;
    }
    let nginx = site.nginx().unwrap();
    let include = format!("include {};", nginx.overlay().display());
    nginx.configure(&include, "").unwrap();
    let drift = site.driver.reconcile(&exchanged, Mode::Repair).await;
    assert_eq!(drift.unwrap().failed, Vec::<String>::new());
    until_in_force(&site.driver, &overlay(2, &[("paw", 5)], &[])).await;
    // Who was claw is paw.
    let asked = site.door_to(KEYS[0].1, "/chat/v1/chat/completions");
    assert_eq!(asked.client().await.unwrap().ask().await, Answer::Cut(5));
    // Whom workers of before still hold to be cut, those of now do not. Asked on a connection kept from before, one that is
    // about to end may still say that everything is closed as it should be: the agent looks again, and so does this.
    let asked = site.door_to(KEYS[1].1, "/side/v1/chat/completions");
    let mut answer = asked.client().await.unwrap().ask().await;
    for _ in 0..200 {
        if answer == Answer::Served {
            break;
        }
        sleep(Duration::from_millis(25)).await;
        until_in_force(&site.driver, &overlay(2, &[("paw", 5)], &[])).await;
        answer = asked.client().await.unwrap().ask().await;
    }
    assert_eq!(answer, Answer::Served);
}

#[tokio::test]
async fn what_is_wanted_is_brought_there_and_what_nginx_has_not_taken_in_is_said() {
    let Some(mut site) = open().await else { return };
    let all = wanted(&site.upstream.base_url()).unwrap();
    let none = site.driver.reconcile(&all, Mode::Show).await.unwrap();
    assert!(none.is_none(), "{none:?}");
    let shown = site
        .driver
        .reconcile(&fewer(&site), Mode::Show)
        .await
        .unwrap();
    assert_eq!(shown.surplus, ["consumer claw"]);

    let file = site.nginx().unwrap().overlay();
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("sk-claw", "sk-paws")).unwrap();
    site.nginx().unwrap().reload().unwrap();
    let shown = site.driver.reconcile(&all, Mode::Show).await.unwrap();
    assert_eq!(shown.changed.len(), 1, "{shown:?}");
    let done = site.driver.reconcile(&all, Mode::Repair).await.unwrap();
    assert!(done.failed.is_empty(), "{done:?}");
    let none = site.driver.reconcile(&all, Mode::Show).await.unwrap();
    assert!(none.is_none(), "{none:?}");
    // Whom it does not know is closed with whoever is cut.
    let done = site
        .driver
        .reconcile(&fewer(&site), Mode::Repair)
        .await
        .unwrap();
    assert!(done.failed.is_empty(), "{done:?}");
    until_in_force(&site.driver, &overlay(2, &[("paw", 5)], &[])).await;
    until(&site, "claw", &Answer::Cut(5)).await;
}

#[tokio::test]
async fn nothing_is_open_once_nobody_renews_the_lease() {
    let Some(mut site) = open().await else { return };
    let lease = site.nginx().unwrap().overlay().with_file_name("lease");
    // As after forty seconds.
    fs::remove_dir_all(&lease).unwrap();
    assert_eq!(fresh(&site, "claw").await, Answer::Closed);
    // Whoever looks renews it.
    site.driver.observe().await.unwrap();
    sleep(Duration::ZERO).await;
    assert_eq!(fresh(&site, "claw").await, Answer::Served);
}

#[tokio::test]
async fn a_state_that_somebody_took_away_is_closed_and_told_again() {
    let Some(mut site) = open().await else { return };
    let now = site.nginx().unwrap().overlay().with_file_name("now");
    fs::remove_file(&now).unwrap();
    assert_eq!(fresh(&site, "claw").await, Answer::Closed);
    assert_eq!(site.driver.observe().await.unwrap().seq, None);
    until_in_force(&site.driver, &overlay(1, &[], &[])).await;
    assert_eq!(fresh(&site, "claw").await, Answer::Served);
}

#[tokio::test]
async fn a_path_that_only_looks_like_another_route_is_not_let_through() {
    let Some(site) = open().await else { return };
    until_in_force(&site.driver, &overlay(2, &[("chat", 5)], &[])).await;
    let key = KEYS[1].1;
    for path in [
        "/side/../chat/v1/chat/completions",
        "/%63hat/v1/models",
        "//chat/v1/models",
        "/elsewhere",
    ] {
        let answer = site.door_to(key, path).client().await.unwrap().ask().await;
        assert_eq!(answer, Answer::Cut(5), "{path}");
    }
    let mut inside = site
        .door_to(key, "/.portcullis/open")
        .client()
        .await
        .unwrap();
    assert_eq!(inside.ask().await, Answer::Cut(5));
    let seen = site.driver.probe().await.unwrap();
    let seen: Vec<_> = seen.into_iter().map(|probed| probed.seen).collect();
    assert_eq!(seen, [Passage::Cut(5.try_into().unwrap()), Passage::Open]);
}

#[tokio::test]
async fn what_is_set_up_wrongly_is_found_with_how_to_put_it_right() {
    let Some(mut site) = open().await else { return };
    let nginx = site.nginx().unwrap();
    nginx
        .configure(
            &format!("include {};", nginx.overlay().display()),
            "proxy_ignore_client_abort on;",
        )
        .unwrap();
    let mut settings = nginx.settings();
    settings.pid = nginx.overlay();
    settings.sever = false;
    let driver = Driver::Nginx(Nginx::new(settings));
    let findings = driver.check().await.unwrap();
    let texts: Vec<_> = findings
        .iter()
        .map(|found| (found.grave, found.text.as_str()))
        .collect();
    for (grave, words) in [
        (true, "`proxy_ignore_client_abort on` at "),
        (true, "`sever = false`"),
        (false, "holds no process id: a cut reaches nginx"),
    ] {
        let found = texts
            .iter()
            .any(|(is, text)| *is == grave && text.contains(words));
        assert!(found, "{words}: {texts:#?}");
    }
    let mut nobody = site.nginx().unwrap().settings();
    nobody.overlay = nobody.overlay.with_file_name("elsewhere.conf");
    let findings = Driver::Nginx(Nginx::new(nobody)).check().await.unwrap();
    let texts: Vec<_> = findings.iter().map(|found| found.text.as_str()).collect();
    assert!(
        texts
            .iter()
            .any(|text| text.contains("is not there: start the agent")),
        "{texts:#?}"
    );
    assert!(
        texts
            .iter()
            .any(|text| text.contains("does not say `include ")),
        "{texts:#?}"
    );
}
