//! Fresh, paused, open, cut, cut narrower, restored, started anew, down, and set up wrongly.

use crate::ask::{LIMIT, ask_all, fresh, kept, overlay, until, until_in_force};
use gateways::{Gateway as _, GatewayError, Passage};
use kill_wire::Scope;
use site_tests::driven::{Answer, Kind, NGINX, Site};
use std::path::Path;
use std::time::Duration;

async fn story(kind: Kind) {
    let mut site = Site::start(kind).await.unwrap();
    silent_or_paused_is_closed(&site).await;
    a_cut_of_everything(&site).await;
    narrower_cuts(&site).await;
    a_restart_opens_nothing(&mut site).await;
    whoever_is_away_or_set_up_wrongly_is_named(&mut site).await;
}

/// Nothing was told yet; then the kill switch is silent; then it speaks.
async fn silent_or_paused_is_closed(site: &Site) {
    let driver = &site.driver;
    assert_eq!(driver.observe().await.unwrap().seq, None);
    let pause = overlay(3, &[], &[Scope::All]);
    driver.apply(&pause).await.unwrap();
    assert_eq!(until_in_force(driver, &pause).await.paused, [Scope::All]);
    until(site, "claw", &Answer::Closed).await;
    // The end of a pause carries the number of its beginning.
    let open = overlay(3, &[], &[]);
    driver.apply(&open).await.unwrap();
    let observed = until_in_force(driver, &open).await;
    assert!(observed.paused.is_empty());
    for consumer in ["claw", "paw"] {
        until(site, consumer, &Answer::Served).await;
    }
    let names: Vec<_> = observed.routes.iter().map(ToString::to_string).collect();
    assert_eq!(names, ["chat", "side"]);
    let ways = observed.points.points.iter();
    let ways: Vec<_> = ways
        .map(|way| format!("{} {} {}", way.consumer, way.route, way.target))
        .collect();
    assert_eq!(ways, ["claw chat box", "paw side box"]);
    // What nobody was told to look through is looked through by nobody.
    let seen = driver.probe().await.unwrap();
    assert!(
        seen.iter().all(|probed| probed.seen == Passage::Open),
        "{seen:?}"
    );
    assert_eq!(seen.is_empty(), site.kind == Kind::Embedded);
}

async fn a_cut_of_everything(site: &Site) {
    let driver = &site.driver;
    let mut clients = kept(site, "claw", 6).await;
    clients.extend(kept(site, "paw", 6).await);
    let mut stream = site.door("claw").unwrap().stream().await.unwrap();
    assert!(
        !stream.ends(Duration::from_millis(50)).await,
        "it is under way"
    );

    let cut = overlay(4, &[("ALL", 7)], &[]);
    let told = driver.apply(&cut).await;
    let may = site.kind == Kind::Embedded || fence::may_sever().is_ok();
    if may {
        let severed = told.unwrap();
        assert!(
            severed.severed >= 1 && severed.lingering == 0,
            "{severed:?}"
        );
        assert!(stream.ends(LIMIT).await, "{:?}", site.kind);
    } else {
        assert!(told.unwrap().goes_on.is_some(), "never called ended");
    }
    // Whoever was served before on the same connection, and whoever comes anew.
    for answer in ask_all(&mut clients).await {
        assert!(answer.refused() && answer != Answer::Closed, "{answer:?}");
    }
    for consumer in ["claw", "paw"] {
        until(site, consumer, &Answer::Cut(7)).await;
    }
    if may {
        // Whoever has been ended is not ended twice.
        assert_eq!(driver.apply(&cut).await.unwrap().severed, 0);
    }
    let older = driver.apply(&overlay(3, &[], &[])).await.unwrap_err();
    assert!(matches!(older, GatewayError::Refused(_)), "{older}");
    assert_eq!(fresh(site, "claw").await, Answer::Cut(7));
    assert_eq!(until_in_force(driver, &cut).await.seq, Some(4));
}

async fn narrower_cuts(site: &Site) {
    let driver = &site.driver;
    for (seq, scope, [claw, paw]) in [
        (5, "chat", [Answer::Cut(8), Answer::Served]),
        (6, "paw", [Answer::Served, Answer::Cut(8)]),
        (7, "LLM", [Answer::Cut(8), Answer::Cut(8)]),
        // What it does not know at all leaves both open.
        (8, "elsewhere", [Answer::Served, Answer::Served]),
    ] {
        let cut = overlay(seq, &[(scope, 8)], &[]);
        until_in_force(driver, &cut).await;
        until(site, "claw", &claw).await;
        until(site, "paw", &paw).await;
    }
    let open = overlay(9, &[], &[]);
    until_in_force(driver, &open).await;
    for consumer in ["claw", "paw"] {
        until(site, consumer, &Answer::Served).await;
    }
}

async fn a_restart_opens_nothing(site: &mut Site) {
    let cut = overlay(10, &[("ALL", 9)], &[]);
    until_in_force(&site.driver, &cut).await;
    site.stop().await.unwrap();
    let begun = tokio::time::Instant::now();
    assert!(site.driver.apply(&cut).await.is_err());
    assert!(site.driver.observe().await.is_err());
    assert!(begun.elapsed() < LIMIT);
    site.start_again().await.unwrap();
    for consumer in ["claw", "paw"] {
        let answer = fresh(site, consumer).await;
        assert!(answer.refused(), "{:?}: {answer:?}", site.kind);
    }
    until_in_force(&site.driver, &cut).await;
    until(site, "claw", &Answer::Cut(9)).await;
    let open = overlay(11, &[], &[]);
    until_in_force(&site.driver, &open).await;
    until(site, "claw", &Answer::Served).await;
}

async fn whoever_is_away_or_set_up_wrongly_is_named(site: &mut Site) {
    let may = fence::may_sever().is_ok();
    let grave = |findings: Vec<gateways::Finding>| -> Vec<String> {
        let grave = findings.into_iter().filter(|found| found.grave);
        grave.map(|found| found.text).collect()
    };
    let well = grave(site.driver.check().await.unwrap());
    assert!(well.is_empty() || !may, "{well:?}");
    site.spoil().await.unwrap();
    if site.kind != Kind::Embedded {
        let found = grave(site.driver.check().await.unwrap());
        assert!(found.len() > well.len(), "{found:?}");
    }
    site.stop().await.unwrap();
    let found = site.driver.check().await;
    assert!(found.is_err() || !grave(found.unwrap()).is_empty());
}

#[tokio::test]
async fn the_embedded_gateway_lives_the_story() {
    story(Kind::Embedded).await;
}

#[tokio::test]
async fn nginx_lives_the_story() {
    if !Path::new(NGINX).exists() {
        eprintln!("SKIPPED: no {NGINX}");
        return;
    }
    story(Kind::Nginx).await;
}

#[tokio::test]
async fn apisix_lives_the_story() {
    story(Kind::Apisix).await;
}
