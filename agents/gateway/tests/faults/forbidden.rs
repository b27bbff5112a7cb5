//! Thousands of requests, targets that fail in every way: none reaches a target its consumer may not use.

use crate::site::{LIMIT, Site, ask, consumer, heard, never, plays, table, target};
use http::StatusCode;
use kill_wire::Class;
use net_model::{Allowance, Policy};
use site_tests::upstream::Upstream;
use std::{collections::BTreeMap, time::Duration};
use tokio::task::JoinSet;

/// `PORTCULLIS_FAULTS=10000` sends that many requests.
fn count() -> usize {
    let told = std::env::var("PORTCULLIS_FAULTS").ok();
    told.and_then(|count| count.parse().ok()).unwrap_or(900)
}

const AT_ONCE: usize = 32;
const FAULTS: [&str; 8] = [
    "error500", "error503", "reset", "truncate", "stall", "silent", "burst", "steady",
];

const WHO: [&str; 4] = ["claw", "kid", "frugal", "outer"];

struct Servers {
    home: Upstream,
    spare: Upstream,
    away: Upstream,
}

async fn site(servers: &Servers) -> Site {
    let mut home = target("home", Class::Local, &servers.home.base_url());
    home.models = plays(&FAULTS);
    home.max_open = Some(12);
    let mut spare = target("spare", Class::Local, &servers.spare.base_url());
    // What it does not play it does not know: it answers steadily.
    spare.models = plays(&["error503", "silent", "reset", "burst"]);
    let mut away = target("away", Class::Cloud, &servers.away.base_url());
    away.models = plays(&["burst"]);
    let frugal = Allowance {
        unknown_price: false,
        ..Allowance::default()
    };
    let cloudless = |cloud| Policy {
        cloud,
        ..Policy::default()
    };
    let homeless = Policy {
        local: never(),
        ..Policy::default()
    };
    let consumers = vec![
        consumer("claw", Policy::default()),
        consumer("kid", cloudless(never())),
        consumer("frugal", cloudless(frugal)),
        consumer("outer", homeless),
    ];
    let mut targets = vec![home, spare, away];
    for target in &mut targets {
        // Back soon, to fail again.
        target.breaker.pause = Duration::from_millis(20);
    }
    Site::open(table(targets, consumers)).await
}

/// Sends a third of all requests; how many answers of each status came.
async fn send(site: &Site, phase: &'static str, statuses: &mut BTreeMap<StatusCode, usize>) {
    let addr = site.gateway.local_addr();
    let mut open = JoinSet::new();
    for at in 0..count() / 3 {
        if open.len() >= AT_ONCE {
            let status = open.join_next().await.unwrap().unwrap();
            *statuses.entry(status).or_default() += 1;
        }
        let who = *WHO.get(at % WHO.len()).unwrap();
        let fault = FAULTS.get(at / WHO.len() % FAULTS.len()).unwrap();
        let model = format!("f-{fault}");
        open.spawn(async move { ask(addr, who, &model, at % 3 > 0, phase).await.status });
    }
    while let Some(status) = open.join_next().await {
        *statuses.entry(status.unwrap()).or_default() += 1;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_reaches_a_forbidden_class_whatever_fails() {
    let servers = Servers {
        home: Upstream::start().unwrap(),
        spare: Upstream::start().unwrap(),
        away: Upstream::start().unwrap(),
    };
    let site = site(&servers).await;
    let mut statuses = BTreeMap::new();
    send(&site, "open", &mut statuses).await;
    site.cut(2, &["CLOUD"]).await;
    send(&site, "cut", &mut statuses).await;
    site.cut(3, &[]).await;
    send(&site, "restored", &mut statuses).await;
    for name in ["home", "spare", "away"] {
        site.until(name, |view| view.open == 0).await;
    }
    site.gateway.drain(LIMIT).await;

    let away = heard(&servers.away, "x-who");
    let (home, spare) = (
        heard(&servers.home, "x-who"),
        heard(&servers.spare, "x-who"),
    );
    let phases = heard(&servers.away, "x-phase");
    let of = |all: &[String], who: &str| all.iter().filter(|it| *it == who).count();
    let forbidden =
        of(&away, "kid") + of(&away, "frugal") + of(&home, "outer") + of(&spare, "outer");
    println!(
        "{} requests, answers {statuses:?}; home saw {}, spare {}, away {}; forbidden {forbidden}, during the cut {}",
        statuses.values().sum::<usize>(),
        home.len(),
        spare.len(),
        away.len(),
        of(&phases, "cut"),
    );
    assert_eq!(forbidden, 0, "a forbidden class was reached");
    assert_eq!(
        of(&phases, "cut"),
        0,
        "the cloud was reached while it was cut"
    );
    assert_eq!(statuses.values().sum::<usize>(), count() / 3 * 3);
    // That nothing was reached must not be because nothing was sent on.
    assert!(of(&away, "claw") > 0 && of(&away, "outer") > 0);
    assert!(of(&spare, "kid") > 0 && of(&spare, "frugal") > 0);
    assert!(of(&phases, "open") > 0 && of(&phases, "restored") > 0);
}
