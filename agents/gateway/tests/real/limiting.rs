//! Budgets and limits hold while exchanges run, whatever ends them, and say what they are.

use crate::support::*;
use http_body_util::BodyExt as _;
use kill_wire::Class;
use net_model::{AtEnd, Ended, Limit, RouteTable, Rules, Selector, Trip, UsageRecord};
use site_tests::upstream::Upstream;
use std::{collections::BTreeMap, path::Path, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    task::JoinSet,
    time::{Instant, sleep},
};

fn limit(requests: Option<u32>, tokens: Option<u64>, open: Option<u32>) -> Rules {
    let limit = Limit {
        name: "pace".parse().unwrap(),
        of: Selector::default(),
        requests_per_minute: requests,
        tokens_per_minute: tokens,
        open,
    };
    Rules {
        limits: vec![limit],
        ..Rules::default()
    }
}

fn whole_of(tokens: u64) -> String {
    format!(r#"{{"model":"steady","max_tokens":{tokens},"messages":[]}}"#)
}

/// What the gateway has written down of its budgets: spent and held.
fn kept(dir: &Path) -> (u64, u64) {
    let text = std::fs::read(dir.join("spool/limits.json")).unwrap();
    let state: serde_json::Value = serde_json::from_slice(&text).unwrap();
    let figure = |key: &str| {
        let figure = state.pointer(&format!("/budgets/0/{key}")).unwrap();
        figure.as_u64().unwrap()
    };
    (figure("spent"), figure("held"))
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_streams_at_once_stay_within_a_hard_budget_and_use_it() {
    const BUDGET: u64 = 4_000;
    const STREAMS: u64 = 64;
    /// As the upstream counts it.
    const PROMPT: u64 = 11;
    let site = Site::open_with_rules(budget(BUDGET, AtEnd::Hard)).await;
    let addr = site.addr();
    let mut clients = JoinSet::new();
    for _ in 0..STREAMS {
        clients.spawn(async move {
            let body = format!(
                r#"{{"model":"steady","stream":true,"max_tokens":{}}}"#,
                BUDGET / 4
            );
            whole(send(addr, chat(CLAW, body)).await).await
        });
    }
    while let Some(answer) = clients.join_next().await {
        let answer = answer.unwrap();
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        let last = events(&answer.body).pop().unwrap();
        assert_eq!(last["error"]["code"], "budget_exceeded", "{last}");
        assert_eq!(last["error"]["type"], "rate_limit_error");
        let message = last["error"]["message"].as_str().unwrap();
        assert!(message.contains("`claw-day`"), "{message}");
    }
    let served = site.home.ended(64, LIMIT).await;
    let chunks: u64 = served.iter().map(|served| served.sent_chunks).sum();
    let truth = chunks + STREAMS * PROMPT;
    let records = site.until_spooled(64).await;
    assert!(records.iter().all(|record| record.ended == Ended::Budget));
    let ledger: u64 = records
        .iter()
        .map(|record| record.prompt_tokens + record.completion_tokens)
        .sum();
    let percent = |tokens: u64| tokens as f64 * 100.0 / BUDGET as f64;
    println!(
        "{BUDGET} tokens for {STREAMS} streams: {truth} made ({:.1} % of the budget), {ledger} in the ledger ({:.1} %)",
        percent(truth),
        percent(ledger)
    );
    // A busy machine lets the upstream notice late that it was hung up on.
    assert!(chunks <= BUDGET + BUDGET / 100 + STREAMS, "{chunks} sent");
    assert!(ledger * 100 >= BUDGET * 95, "{ledger} in the ledger");
    site.gateway.drain(Duration::ZERO).await;
    assert_eq!(kept(site.dir.path()), (ledger, 0));
}

/// A target that answers one request with a whole stream in one piece; its base URL.
async fn in_one_piece(events: u64) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let mut served = JoinSet::new();
    served.spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut asked = [0; 8192];
        assert!(stream.read(&mut asked).await.unwrap() > 0);
        let event = |at| format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"w{at} \"}}}}]}}\n\n");
        let body: String = (0..events).map(event).collect();
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(answer.as_bytes()).await.unwrap();
        // Until the gateway hangs up.
        while stream.read(&mut asked).await.is_ok_and(|read| read > 0) {}
    });
    served.detach_all();
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_piece_in_which_a_budget_ends_no_more_is_passed_on_but_all_of_it_counts() {
    const BUDGET: u64 = 50;
    const EVENTS: u64 = 150;
    let url = in_one_piece(EVENTS).await;
    let dir = tempfile::tempdir().unwrap();
    let table = table(&[
        ("home", Class::Local, &url),
        ("away", Class::Cloud, "http://127.0.0.1:9/v1"),
    ]);
    let site = Site {
        gateway: start_with(&dir, table, budget(BUDGET, AtEnd::Hard)),
        home: Upstream::start().unwrap(),
        away: Upstream::start().unwrap(),
        dir,
    };
    site.apply(1, &[]).await;
    let answer = site
        .post(CLAW, r#"{"model":"steady","stream":true,"messages":[]}"#)
        .await;
    let mut said = events(&answer.body);
    assert_eq!(said.pop().unwrap()["error"]["code"], "budget_exceeded");
    let passed = said.len() as u64;
    // Less what the prompt is taken to have.
    assert!((BUDGET - 15..=BUDGET).contains(&passed), "{passed}");
    let record = site.until_spooled(1).await.pop().unwrap();
    assert_eq!(
        (record.ended, record.completion_tokens),
        (Ended::Budget, EVENTS)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_names_the_budget_and_when_it_frees() {
    let site = Site::open_with_rules(budget(20, AtEnd::Hard)).await;
    assert_eq!(site.post(CLAW, whole_of(4)).await.status, 200);
    let answer = site.post(CLAW, whole_of(9)).await;
    assert_eq!(answer.status, 429);
    assert_eq!(answer.code(), "budget_exceeded");
    let message = answer.error("message").to_string();
    assert!(
        message.contains(
            "The budget `claw-day` has too little left: 15 of 20 tokens spent this month"
        ),
        "{message}"
    );
    assert!(message.contains("It frees at 20"), "{message}");
    assert!(answer.header("retry-after").parse::<u64>().unwrap() > 0);
    let never = site.post(CLAW, whole_of(900)).await;
    assert!(
        never
            .error("message")
            .to_string()
            .contains("Waiting does not help")
    );
    assert_eq!(never.header("x-should-retry"), "false");
    assert_eq!(never.header("retry-after"), "");
    // Another consumer is not concerned, nor is one that is told what models there are.
    assert_eq!(site.post(RAG, whole_of(900)).await.status, 200);
    assert_eq!(site.get(CLAW, "/v1/models").await.status, 200);
    let metrics = site.metrics().await;
    for line in [
        r#"portcullis_gateway_refused_total{code="budget_exceeded"} 2"#,
        r#"portcullis_gateway_budget_spent{budget="claw-day",unit="tokens"} 15"#,
        r#"portcullis_gateway_budget_limit{budget="claw-day",unit="tokens"} 20"#,
    ] {
        assert!(metrics.contains(line), "{line} is not in {metrics}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_and_tokens_a_minute_are_told_and_held_to() {
    let site = Site::open_with_rules(limit(Some(2), Some(100), None)).await;
    let first = site.post(CLAW, whole_of(1)).await;
    assert_eq!(first.header("x-ratelimit-limit-requests"), "2");
    assert_eq!(first.header("x-ratelimit-remaining-requests"), "1");
    assert_eq!(first.header("x-ratelimit-reset-requests"), "30s");
    assert_eq!(first.header("x-ratelimit-limit-tokens"), "100");
    assert_eq!(site.post(RAG, whole_of(1)).await.status, 200);
    let third = site.post(RAG, whole_of(1)).await;
    assert_eq!(
        (third.status.as_u16(), third.code().as_str()),
        (429, "rate_limit_exceeded")
    );
    assert!(
        third
            .error("message")
            .to_string()
            .contains("`pace` allows 2 requests a minute")
    );
    let wait: u64 = third.header("retry-after").parse().unwrap();
    assert!((1..=30).contains(&wait), "{wait}");
    assert_eq!(
        third.header("x-should-retry"),
        "",
        "it may well be asked again"
    );

    let site = Site::open_with_rules(limit(None, Some(100), None)).await;
    assert_eq!(site.post(CLAW, whole_of(300)).await.status, 200);
    let late = site.post(CLAW, whole_of(1)).await;
    assert!(
        late.error("message")
            .to_string()
            .contains("`pace` allows 100 tokens a minute")
    );
    let wait: u64 = late.header("retry-after").parse().unwrap();
    assert!(
        (110..=150).contains(&wait),
        "what was overdrawn is waited for: {wait}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_is_free_again_when_its_exchange_has_ended() {
    let site = Site::open_with_rules(limit(None, None, Some(1))).await;
    let mut held = site.stream(CLAW, "stall").await;
    held.body_mut().frame().await.unwrap().unwrap();
    let refused = site.post(RAG, whole_of(1)).await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.header("retry-after"), "2");
    assert!(
        refused
            .error("message")
            .to_string()
            .contains("allows 1 at the same time")
    );
    drop(held);
    site.until_open(0).await;
    assert_eq!(site.post(RAG, whole_of(1)).await.status, 200);
}

/// As `open_with_rules`, but for targets whose breakers never open: most of their answers fail.
async fn patient(rules: Rules) -> Site {
    let (home, away) = (Upstream::start().unwrap(), Upstream::start().unwrap());
    let plain = table(&[
        ("home", Class::Local, &home.base_url()),
        ("away", Class::Cloud, &away.base_url()),
    ]);
    let mut targets = plain.targets().to_vec();
    for target in &mut targets {
        target.breaker.failures = u32::MAX;
    }
    let (routes, consumers) = (plain.routes().to_vec(), plain.consumers().to_vec());
    let table = RouteTable::new(targets, routes, consumers).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let site = Site {
        gateway: start_with(&dir, table, rules),
        home,
        away,
        dir,
    };
    site.apply(1, &[]).await;
    site
}

const AT_ONCE: usize = 20;

/// Exchanges at once that fail in every way, some of which are cut; then their clients go away.
async fn faulted(site: &Site, round: usize) {
    const MODELS: [&str; 9] = [
        "steady", "nousage", "reset", "truncate", "error500", "error503", "liar", "stall", "silent",
    ];
    let (addr, mut clients) = (site.addr(), JoinSet::new());
    let models = MODELS.iter().cycle().skip(round * 7 % MODELS.len());
    for (at, model) in (0..AT_ONCE).zip(models) {
        let stream = at % 3 != 0;
        clients.spawn(async move {
            let body = format!(r#"{{"model":"{model}","stream":{stream},"max_tokens":3}}"#);
            let asked = try_send(addr, chat(CLAW, body)).await;
            if let Ok(mut answer) = asked {
                while let Some(Ok(_)) = answer.body_mut().frame().await {}
            }
        });
    }
    sleep(Duration::from_millis(30)).await;
    if round.is_multiple_of(3) {
        site.apply(10 + 2 * round as u64, &["llm"]).await;
        site.apply(11 + 2 * round as u64, &[]).await;
    }
    clients.shutdown().await;
}

fn total(records: &[UsageRecord]) -> u64 {
    let used = records.iter();
    used.map(|record| record.prompt_tokens + record.completion_tokens)
        .sum()
}

/// `PORTCULLIS_FAULTS` says how many; the full measure is 10000.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_ends_an_exchange_nothing_stays_reserved_and_all_of_the_rest_can_be_used() {
    const REST: u64 = 4_000;
    const STREAMS: usize = 64;
    let count = std::env::var("PORTCULLIS_FAULTS").map_or(200, |count| count.parse().unwrap());
    let site = patient(budget(1 << 50, AtEnd::Hard)).await;
    for round in 0..count / AT_ONCE {
        faulted(&site, round).await;
    }
    site.until_open(0).await;
    site.gateway.drain(Duration::ZERO).await;
    let (spent, held) = kept(site.dir.path());
    let records = site.spooled();
    let mut ends: BTreeMap<&str, usize> = BTreeMap::new();
    for record in &records {
        *ends.entry(record.ended.as_str()).or_default() += 1;
    }
    let reached = records.len();
    println!(
        "{count} exchanges, {reached} of which reached a target and ended {ends:?}: {spent} tokens spent, {held} left reserved"
    );
    assert_eq!(held, 0);
    assert_eq!(spent, total(&records), "the ledger and the budget differ");

    let site = site.restart(budget(spent + REST, AtEnd::Hard)).await;
    let mut clients = JoinSet::new();
    for _ in 0..STREAMS {
        let body = format!(
            r#"{{"model":"steady","stream":true,"max_tokens":{}}}"#,
            REST / 4
        );
        let addr = site.addr();
        clients.spawn(async move { whole(send(addr, chat(CLAW, body)).await).await });
    }
    clients.join_all().await;
    let used = total(&site.until_spooled(reached + STREAMS).await) - spent;
    let percent = used as f64 * 100.0 / REST as f64;
    println!("Of the {REST} tokens that were left then, {used} could be used: {percent:.1} %");
    assert!(used * 100 >= REST * 95, "only {used} of {REST}");
    site.gateway.drain(Duration::ZERO).await;
    assert_eq!(kept(site.dir.path()).1, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_spent_outlives_a_restart_and_a_lost_count_refuses() {
    let rules = budget(20, AtEnd::Hard);
    let site = Site::open_with_rules(rules.clone()).await;
    assert_eq!(site.post(CLAW, whole_of(4)).await.status, 200);
    site.gateway.drain(Duration::ZERO).await;
    let site = site.restart(rules.clone()).await;
    assert_eq!(site.post(CLAW, whole_of(9)).await.code(), "budget_exceeded");
    site.gateway.drain(Duration::ZERO).await;
    std::fs::write(site.dir.path().join("spool/limits.json"), "{").unwrap();
    let site = site.restart(rules).await;
    assert_eq!(site.post(CLAW, whole_of(1)).await.code(), "budget_exceeded");
    assert_eq!(site.post(RAG, whole_of(1)).await.status, 200);
}

async fn until_tripped(site: &Site) -> Trip {
    let until = Instant::now() + LIMIT;
    loop {
        let files = std::fs::read_dir(site.dir.path().join("spool/trips")).unwrap();
        let mut files = files.map(|file| file.unwrap().path());
        if let Some(file) = files.find(|file| file.extension().is_some_and(|it| it == "json")) {
            return serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        }
        assert!(Instant::now() < until, "no trip was written in time");
        sleep(Duration::from_millis(3)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trip_closes_its_scope_at_once_until_its_latch_was_restored() {
    let rules = budget(40, AtEnd::Trip("claw".parse().unwrap()));
    let site = Site::open_with_rules(rules.clone()).await;
    let mut idle = site.stream(CLAW, "stall").await;
    idle.body_mut().frame().await.unwrap().unwrap();
    let spender = whole(site.stream(CLAW, "steady").await).await;
    let last = events(&spender.body).pop().unwrap();
    assert_eq!(last["error"]["code"], "tripped", "{last}");
    // The stream that spent nothing more is ended, too.
    let ended = events(&whole(idle).await.body).pop().unwrap();
    assert_eq!(ended["error"]["code"], "tripped", "{ended}");
    let trip = until_tripped(&site).await;
    assert_eq!(trip.scope.to_string(), "claw");
    assert!(
        trip.cause.starts_with("budget claw-day is gone: 4"),
        "{}",
        trip.cause
    );
    assert!(trip.cause.ends_with("of 40 tokens"), "{}", trip.cause);

    let refused = site.post(CLAW, whole_of(1)).await;
    assert_eq!(
        (refused.status.as_u16(), refused.code().as_str()),
        (503, "tripped")
    );
    assert_eq!(site.post(RAG, whole_of(1)).await.status, 200);
    assert_eq!(site.observed().await.trips, [trip]);
    // Neither an overlay that says nothing of it nor a restart opens it.
    site.apply(2, &[]).await;
    assert_eq!(site.post(CLAW, whole_of(1)).await.code(), "tripped");
    site.gateway.drain(Duration::ZERO).await;
    let site = site.restart(rules.clone()).await;
    assert_eq!(site.post(CLAW, whole_of(1)).await.code(), "tripped");
    // The latch comes, and a person restores it: the budget counts anew.
    site.apply(3, &["claw"]).await;
    assert_eq!(site.post(CLAW, whole_of(1)).await.code(), "cut");
    site.apply(4, &[]).await;
    assert_eq!(site.post(CLAW, whole_of(1)).await.status, 200);
    assert!(site.observed().await.trips.is_empty());
}
