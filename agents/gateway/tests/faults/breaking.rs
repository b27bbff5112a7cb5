//! Breakers, health and silence before real sockets.

use crate::site::{LIMIT, RULE, Site, consumer, heard, plays, says, table, target};
use kill_wire::Class;
use net_model::{BreakerRule, BreakerState, Limit, Policy, Rules, Selector, Target};
use site_tests::upstream::{Script, Upstream};
use std::time::Duration;
use tokio::{
    net::TcpListener,
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

/// Stays open as long as any test runs.
const LONG: BreakerRule = BreakerRule {
    pause: Duration::from_secs(600),
    ..RULE
};

async fn nobody() -> String {
    let addr = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr();
    format!("http://{}/v1", addr.unwrap())
}

/// `home` plays `script`, `away` serves.
async fn pair(script: Script, rule: BreakerRule) -> (Site, Upstream, Upstream) {
    let home = Upstream::start_as(script).unwrap();
    let away = Upstream::start().unwrap();
    let first = Target {
        breaker: rule,
        ..target("home", Class::Local, &home.base_url())
    };
    let second = target("away", Class::Cloud, &away.base_url());
    (Site::over(vec![first, second]).await, home, away)
}

fn open(view: &net_model::TargetView) -> bool {
    view.state == BreakerState::Open
}

#[tokio::test(flavor = "multi_thread")]
async fn a_breaker_opens_when_its_rule_is_met_and_says_why() {
    for (script, why) in [
        (Script::Error500, "server error"),
        (Script::Error503, "server error"),
        (Script::Silent, "timeout"),
    ] {
        let (site, home, _away) = pair(script, LONG).await;
        for at in 0..RULE.failures {
            assert_eq!(site.view("home").await.failures, at);
            let answer = site.ask("claw", "burst").await;
            assert_eq!(answer.header("x-portcullis-target"), "away");
            let told = format!("home ({why}) -> away");
            assert_eq!(answer.header("x-portcullis-fallback"), told);
        }
        let took = site.until("home", open).await;
        println!("{script:?}: open {took:?} after its rule was met");
        assert_eq!(site.view("home").await.why.as_deref(), Some(why));
        let seen = home.ended(3, LIMIT).await.len();
        let answer = site.ask("claw", "burst").await;
        let told = "home (breaker open) -> away";
        assert_eq!(answer.header("x-portcullis-fallback"), told);
        assert_eq!(home.log().len(), seen);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_nobody_listens_at_is_left_alone() {
    let away = Upstream::start().unwrap();
    let home = target("home", Class::Local, &nobody().await);
    let second = target("away", Class::Cloud, &away.base_url());
    let site = Site::over(vec![home, second]).await;
    for _ in 0..RULE.failures {
        let answer = site.ask("claw", "burst").await;
        let told = "home (no connection) -> away";
        assert_eq!(answer.header("x-portcullis-fallback"), told);
    }
    site.until("home", open).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_every_breaker_open_the_client_is_told_when_to_come_again() {
    let home = target("home", Class::Local, &nobody().await);
    let home = Target {
        breaker: LONG,
        ..home
    };
    let site = Site::over(vec![home]).await;
    for _ in 0..RULE.failures {
        assert_eq!(site.ask("claw", "burst").await.status, 502);
    }
    let answer = site.ask("claw", "burst").await;
    assert_eq!(answer.status, 503);
    let after: u64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=600).contains(&after), "{after}");
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    assert!(
        text.contains("home (breaker open)") && text.contains("no_target"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_first_token_counts_while_it_is_waited_for() {
    let rule = BreakerRule {
        failures: 1,
        slow_first_token: Some(Duration::from_millis(30)),
        ..RULE
    };
    let (site, _home, _away) = pair(Script::Silent, rule).await;
    let (answer, took) = tokio::join!(
        site.ask_as("claw", "burst", true, "usual"),
        site.until("home", open)
    );
    println!("slow first token: open {took:?} after the request, its rule was met after 30 ms");
    assert_eq!(answer.header("x-portcullis-target"), "away");
    assert_eq!(
        site.view("home").await.why.as_deref(),
        Some("slow first token")
    );
    // One that does not stream has no first token.
    let (site, _home, _away) = pair(Script::Silent, rule).await;
    site.ask("claw", "burst").await;
    assert_eq!(site.view("home").await.why.as_deref(), Some("timeout"));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_request_a_pause_tries_and_the_target_comes_back_by_itself() {
    let (site, home, _away) = pair(Script::Error503, RULE).await;
    for _ in 0..RULE.failures {
        site.ask("claw", "burst").await;
    }
    site.until("home", open).await;
    let (begun, before) = (Instant::now(), home.log().len());
    let mut asked = 0;
    while begun.elapsed() < 5 * RULE.pause {
        let mut volley = JoinSet::new();
        for _ in 0..16 {
            let addr = site.gateway.local_addr();
            volley.spawn(
                async move { crate::site::ask(addr, "claw", "burst", false, "usual").await },
            );
        }
        asked += volley.join_all().await.len();
    }
    let tried = home.log().len() - before;
    let most = begun.elapsed().as_millis() / RULE.pause.as_millis() + 1;
    println!("{asked} requests in {:?}: {tried} tried", begun.elapsed());
    assert!(
        tried >= 1 && tried as u128 <= most,
        "{tried} of at most {most}"
    );

    home.play(None);
    let begun = Instant::now();
    loop {
        let answer = site.ask("claw", "burst").await;
        assert_eq!(answer.status, 200);
        if answer.header("x-portcullis-target") == "home" {
            assert_eq!(answer.header("x-portcullis-fallback"), "");
            break;
        }
        assert!(begun.elapsed() < LIMIT, "it does not come back");
        sleep(Duration::from_millis(5)).await;
    }
    println!(
        "back {:?} after it was well; a pause is {:?}",
        begun.elapsed(),
        RULE.pause
    );
    let closed = |view: &net_model::TargetView| view.state == BreakerState::Closed;
    site.until("home", closed).await;
    assert_eq!(site.view("home").await.why, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_says_nothing_of_the_target() {
    let rule = BreakerRule {
        failures: 1,
        ..RULE
    };
    let home = Upstream::start_as(Script::Silent).unwrap();
    let mut first = target("home", Class::Local, &home.base_url());
    first.breaker = rule;
    first.timeouts.first_byte = Duration::from_secs(600);
    let site = Site::over(vec![first]).await;
    let addr = site.gateway.local_addr();
    for at in 0..3 {
        let mut clients = JoinSet::new();
        clients.spawn(async move { crate::site::ask(addr, "claw", "x", true, "usual").await });
        assert!(home.busy(1, LIMIT).await);
        clients.shutdown().await;
        home.ended(at + 1, LIMIT).await;
    }
    site.until("home", |view| view.open == 0).await;
    let view = site.view("home").await;
    assert_eq!((view.state, view.failures), (BreakerState::Closed, 0));
}

/// A consumer before a server that says the same to everybody, then `away`.
async fn before(reply: &'static str) -> (Site, Upstream, JoinSet<()>) {
    let away = Upstream::start().unwrap();
    let (url, task) = says(reply).await;
    let first = Target {
        breaker: LONG,
        ..target("home", Class::Local, &url)
    };
    let second = target("away", Class::Cloud, &away.base_url());
    (Site::over(vec![first, second]).await, away, task)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_that_is_the_client_s_own_is_passed_on_and_counts_nothing() {
    let reply = "HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\n\r\n{}";
    let (site, away, _task) = before(reply).await;
    for _ in 0..5 {
        let answer = site.ask("claw", "burst").await;
        assert_eq!(
            (answer.status.as_u16(), &answer.body[..]),
            (400, &b"{}"[..])
        );
    }
    let view = site.view("home").await;
    assert_eq!((view.state, view.failures), (BreakerState::Closed, 0));
    assert_eq!(away.log().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_asks_for_rest_and_one_that_breaks_off_early_give_way() {
    let busy = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 900\r\ncontent-length: 2\r\n\r\n{}";
    let early =
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    for (reply, why) in [(busy, "too many requests"), (early, "broke off")] {
        let (site, _away, _task) = before(reply).await;
        for _ in 0..RULE.failures {
            let answer = site.ask_as("claw", "burst", true, "usual").await;
            let told = format!("home ({why}) -> away");
            assert_eq!(answer.header("x-portcullis-fallback"), told);
            assert_eq!(answer.status, 200);
        }
        site.until("home", open).await;
        assert_eq!(site.view("home").await.why.as_deref(), Some(why));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_keeps_what_is_known_of_a_target_that_stays() {
    let (site, home, away) = pair(Script::Error503, LONG).await;
    for _ in 0..RULE.failures {
        site.ask("claw", "burst").await;
    }
    site.until("home", open).await;
    let with = |url: &str| {
        let first = target("home", Class::Local, url);
        let second = target("away", Class::Cloud, &away.base_url());
        table(
            vec![first, second],
            vec![consumer("claw", Policy::default())],
        )
    };
    site.gateway
        .reload(with(&home.base_url()), Rules::default());
    assert!(open(&site.view("home").await));
    let other = Upstream::start().unwrap();
    site.gateway
        .reload(with(&other.base_url()), Rules::default());
    assert_eq!(site.view("home").await.state, BreakerState::Closed);
    let answer = site.ask("claw", "burst").await;
    assert_eq!(answer.header("x-portcullis-target"), "home");
}

#[tokio::test(flavor = "multi_thread")]
async fn beyond_its_room_the_next_target_is_asked() {
    let home = Upstream::start().unwrap();
    let away = Upstream::start().unwrap();
    let mut first = target("home", Class::Local, &home.base_url());
    first.max_open = Some(1);
    first.models = plays(&["stall"]);
    first.timeouts.idle = Duration::from_secs(600);
    let second = target("away", Class::Cloud, &away.base_url());
    let site = Site::over(vec![first, second]).await;
    let addr = site.gateway.local_addr();
    let mut held = JoinSet::new();
    held.spawn(async move { crate::site::ask(addr, "claw", "f-stall", true, "usual").await });
    site.until("home", |view| view.open == 1).await;
    let answer = site.ask("claw", "burst").await;
    assert_eq!(
        answer.header("x-portcullis-fallback"),
        "home (full) -> away"
    );
    held.shutdown().await;
    site.until("home", |view| view.open == 0).await;
    let answer = site.ask("claw", "burst").await;
    assert_eq!(answer.header("x-portcullis-target"), "home");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_held_for_a_target_that_failed_is_not_in_the_way_of_the_next() {
    let away = Upstream::start().unwrap();
    let targets = vec![
        target("home", Class::Local, &nobody().await),
        target("away", Class::Cloud, &away.base_url()),
    ];
    let claw = vec![consumer("claw", Policy::default())];
    let site = Site::over(targets.clone()).await;
    let one_at_a_time = Limit {
        name: "alone".parse().unwrap(),
        of: Selector::default(),
        requests_per_minute: None,
        tokens_per_minute: None,
        open: Some(1),
    };
    let rules = Rules {
        limits: vec![one_at_a_time],
        ..Rules::default()
    };
    site.gateway.reload(table(targets, claw), rules);
    let answer = site.ask("claw", "burst").await;
    let told = "home (no connection) -> away";
    assert_eq!(answer.header("x-portcullis-fallback"), told);
    assert_eq!(answer.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_falls_silent_in_the_middle_is_given_up() {
    let (site, home, _away) = pair(Script::Stall, RULE).await;
    let answer = site.ask_as("claw", "burst", true, "usual").await;
    assert_eq!(answer.header("x-portcullis-target"), "home");
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    assert!(text.contains("upstream_broke_off"), "{text}");
    assert_eq!(site.view("home").await.failures, 1);
    assert_eq!(home.ended(1, LIMIT).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_health_probe_opens_a_breaker_and_brings_it_back_and_is_silent_while_cut() {
    let home = Upstream::start().unwrap();
    let mut first = target("home", Class::Local, &home.base_url());
    first.health_every = Some(Duration::from_millis(100));
    let site = Site::over(vec![first]).await;
    site.until("home", |view| {
        view.health.as_ref().is_some_and(|it| it.well)
    })
    .await;
    assert!(heard(&home, "x-who").iter().all(String::is_empty));
    assert_eq!(home.log()[0].path, "/v1/models");

    home.play(Some(Script::Silent));
    site.until("home", open).await;
    assert_eq!(site.view("home").await.why.as_deref(), Some("unwell"));
    home.play(None);
    let back = timeout(LIMIT, async {
        while site.ask("claw", "burst").await.status != 200 {
            sleep(Duration::from_millis(5)).await;
        }
    });
    back.await.unwrap();

    site.cut(2, &["LLM"]).await;
    site.until("home", |view| view.open == 0).await;
    // What was on its way when the cut came has ended with it; nothing follows through several turns.
    let deadline = Instant::now() + LIMIT;
    while home.open() > 0 {
        assert!(Instant::now() < deadline, "a probe outlives the cut");
        sleep(Duration::from_millis(2)).await;
    }
    let seen = home.log().len();
    sleep(Duration::from_millis(800)).await;
    assert_eq!(home.log().len(), seen, "a probe went out while cut");
    site.cut(3, &[]).await;
    assert!(
        home.ended(seen + 1, LIMIT).await.len() > seen,
        "probes come back"
    );
}
