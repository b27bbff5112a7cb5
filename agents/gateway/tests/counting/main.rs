//! Streams that end at any point, by any side, with figures and without: counted once each, and counted right.
//!
//! `PORTCULLIS_COUNTED_STREAMS` says how many; the full measure is 10000. Run with `--nocapture` it prints the figures.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../real/support.rs"]
#[expect(dead_code, reason = "not all of it is needed here")]
mod support;

use http_body_util::BodyExt as _;
use kill_wire::Class;
use net_model::{Ended, RouteTable};
use site_tests::upstream::{End, Served, Upstream};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
use support::*;
use tokio::{sync::Barrier, task::JoinSet, time::sleep};

/// Streams at the same time.
const ROUND: usize = 64;
/// Unless the variable says another number.
const STREAMS: usize = 4 * ROUND;

/// Figures that look random and are the same in each run.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// One stream: what is asked, and after how many pieces the client leaves, if it does.
struct Plan {
    model: &'static str,
    max_tokens: u64,
    leaves_after: Option<u64>,
}

impl Plan {
    fn throw(dice: &mut Dice) -> Self {
        let model = if dice.throw(2) == 0 {
            "steady"
        } else {
            "nousage"
        };
        let short = 2 + dice.throw(60);
        let (model, max_tokens, leaves_after) = match dice.throw(4) {
            0 => (model, short, None),
            1 => (model, 200, Some(1 + dice.throw(60))),
            2 => ("late-reset", short, None),
            // Long enough to be there when the cut comes.
            _ => (model, 200, None),
        };
        Self {
            model,
            max_tokens,
            leaves_after,
        }
    }

    fn body(&self) -> String {
        format!(
            r#"{{"model":"{}","max_tokens":{},"stream":true,"messages":[{{"role":"user","content":"Say the numbers in their order, one by one, please, and nothing else."}}]}}"#,
            self.model, self.max_tokens
        )
    }
}

/// As the support's, but for a target whose breaker never opens: half of its answers break off.
async fn site() -> Site {
    let (home, away) = (Upstream::start().unwrap(), Upstream::start().unwrap());
    let plain = table(&[("home", Class::Local, &home.base_url())]);
    let mut targets = plain.targets().to_vec();
    for target in &mut targets {
        target.breaker.failures = u32::MAX;
    }
    let routes = plain.routes().to_vec();
    let table = RouteTable::new(targets, routes, plain.consumers().to_vec()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let site = Site {
        gateway: start(&dir, table),
        home,
        away,
        dir,
    };
    site.apply(1, &[]).await;
    site
}

/// Reads until the plan, the target or the cut ends it. Everybody waits for everybody's first piece.
async fn read(addr: std::net::SocketAddr, plan: Plan, begun: Arc<Barrier>) {
    let mut answer = send(addr, chat(RAG, plan.body())).await;
    assert_eq!(answer.status(), 200);
    let mut pieces = 0;
    while let Some(Ok(_)) = answer.body_mut().frame().await {
        pieces += 1;
        if pieces == 1 {
            begun.wait().await;
        }
        if Some(pieces) == plan.leaves_after {
            return;
        }
    }
    assert!(pieces > 0, "{} gave nothing", plan.model);
}

async fn round(site: &Site, seq: &mut u64, dice: &mut Dice) {
    let begun = Arc::new(Barrier::new(ROUND + 1));
    let mut clients = JoinSet::new();
    for _ in 0..ROUND {
        clients.spawn(read(site.addr(), Plan::throw(dice), Arc::clone(&begun)));
    }
    begun.wait().await;
    sleep(Duration::from_millis(dice.throw(1500))).await;
    site.apply(*seq + 1, &["llm"]).await;
    while let Some(done) = clients.join_next().await {
        done.unwrap();
    }
    site.until_open(0).await;
    site.apply(*seq + 2, &[]).await;
    *seq += 2;
}

/// Tokens that were really made: the prompt's 11 and each chunk that was sent.
fn truth(served: &[Served]) -> (u64, u64) {
    let prompts = served.len() as u64 * 11;
    (prompts, served.iter().map(|it| it.sent_chunks).sum())
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_broken_off_anywhere_are_counted_within_a_hundredth_and_once_each() {
    let wanted = std::env::var("PORTCULLIS_COUNTED_STREAMS").ok();
    let wanted = wanted.map_or(STREAMS, |text| text.parse().unwrap());
    let rounds = wanted.div_ceil(ROUND);
    let site = site().await;
    let mut dice = Dice(7);
    // The first whole answer teaches how this server counts.
    for model in ["steady", "nousage", "late-reset"] {
        let mut plan = Plan {
            model,
            max_tokens: 5,
            leaves_after: None,
        };
        if model != "steady" {
            plan.max_tokens = 1;
        }
        site.post(RAG, plan.body()).await;
    }
    let mut seq = 1;
    for _ in 0..rounds {
        round(&site, &mut seq, &mut dice).await;
    }
    site.gateway.drain(Duration::ZERO).await;
    let served = site.home.ended(rounds * ROUND + 3, LIMIT).await;
    let records = site.spooled();
    let ids: BTreeSet<&str> = records.iter().map(|record| record.id.as_str()).collect();
    assert_eq!((records.len(), ids.len()), (served.len(), served.len()));
    assert_eq!(served.len(), rounds * ROUND + 3);
    assert_eq!(site.away.log().len(), 0);

    let (prompts, answers) = truth(&served);
    let counted_prompts: u64 = records.iter().map(|record| record.prompt_tokens).sum();
    let counted_answers: u64 = records.iter().map(|record| record.completion_tokens).sum();
    let mut ends: BTreeMap<&str, usize> = BTreeMap::new();
    for record in &records {
        *ends.entry(record.ended.as_str()).or_default() += 1;
    }
    let estimated = records.iter().filter(|record| record.estimated).count();
    eprintln!(
        "{} streams, ended {ends:?}, {estimated} counted by ourselves; prompts {counted_prompts} of {prompts}, answers {counted_answers} of {answers}",
        records.len()
    );
    for end in [
        Ended::Complete,
        Ended::Cut,
        Ended::ClientGone,
        Ended::UpstreamFailed,
    ] {
        assert!(ends.contains_key(end.as_str()), "none ended {end:?}");
    }
    assert!(served.iter().any(|it| it.end == End::Aborted));
    let (truth, counted) = (prompts + answers, counted_prompts + counted_answers);
    assert!(
        truth.abs_diff(counted) * 100 <= truth,
        "{counted} counted of {truth}"
    );
}
