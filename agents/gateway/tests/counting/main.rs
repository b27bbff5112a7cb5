//! Streams that end at any point, by any side, with figures and without: counted once each, and counted right.
//!
//! `PORTCULLIS_COUNTED_STREAMS` says how many; the full measure is 10000. Run with `--nocapture` it prints the figures.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../real/support.rs"]
#[expect(dead_code, reason = "not all of it is needed here")]
mod support;

use http_body_util::BodyExt as _;
use kill_wire::Class;
use net_model::{Ended, RouteTable, UsageRecord};
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

/// Milliseconds since the epoch, as the upstream writes its times down.
#[expect(
    clippy::disallowed_methods,
    reason = "compared with the times of the scripted upstream"
)]
fn now_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    u64::try_from(since.unwrap().as_millis()).unwrap()
}

/// One stream, as its client saw it.
struct Met {
    /// Its number at the upstream.
    served: u64,
    /// Its id in the ledger.
    record: String,
    /// When the client left, if it did.
    left: Option<u64>,
    /// When everything was cut, in its round.
    cut: u64,
}

/// Reads until the plan, the target or the cut ends it. Everybody waits for everybody's first piece.
async fn read(addr: std::net::SocketAddr, plan: Plan, begun: Arc<Barrier>) -> Met {
    let mut answer = send(addr, chat(RAG, plan.body())).await;
    assert_eq!(answer.status(), 200);
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    let mut met = Met {
        served: header("x-scripted").parse().unwrap(),
        record: header("x-portcullis-request-id"),
        left: None,
        cut: 0,
    };
    let mut pieces = 0;
    while let Some(Ok(_)) = answer.body_mut().frame().await {
        pieces += 1;
        if pieces == 1 {
            begun.wait().await;
        }
        if Some(pieces) == plan.leaves_after {
            met.left = Some(now_ms());
            return met;
        }
    }
    assert!(pieces > 0, "{} gave nothing", plan.model);
    met
}

async fn round(site: &Site, seq: &mut u64, dice: &mut Dice) -> Vec<Met> {
    let begun = Arc::new(Barrier::new(ROUND + 1));
    let mut clients = JoinSet::new();
    for _ in 0..ROUND {
        clients.spawn(read(site.addr(), Plan::throw(dice), Arc::clone(&begun)));
    }
    begun.wait().await;
    sleep(Duration::from_millis(dice.throw(1500))).await;
    let cut = now_ms();
    site.apply(*seq + 1, &["llm"]).await;
    let met = clients.join_all().await;
    site.until_open(0).await;
    site.apply(*seq + 2, &[]).await;
    *seq += 2;
    met.into_iter().map(|met| Met { cut, ..met }).collect()
}

/// Milliseconds between two pieces of the upstream.
const PACE: u64 = 20;

/// Tokens of a prompt, as the upstream counts it.
const PROMPT: u64 = 11;

/// Streams that ended in one way.
#[derive(Default)]
struct Sort {
    streams: u64,
    /// Tokens of answers that were made, and that were counted.
    made: u64,
    counted: u64,
    /// Streams whose answer is wrong by more than eight tokens and more than a twentieth.
    far: u64,
    /// Milliseconds from the break to the upstream having seen it.
    aborts: Vec<u64>,
    /// Pieces the upstream made meanwhile: it sent them to nobody, and nobody could count them.
    made_late: u64,
}

impl Sort {
    fn add(&mut self, met: &Met, served: &Served, record: &UsageRecord) {
        let (made, counted) = (served.sent_chunks, record.completion_tokens);
        self.streams += 1;
        self.made += made;
        self.counted += counted;
        self.far += u64::from(made.abs_diff(counted) > (made / 20).max(8));
        let broken = match record.ended {
            Ended::ClientGone => met.left,
            Ended::Cut => Some(met.cut),
            Ended::Complete
            | Ended::Budget
            | Ended::Tripped
            | Ended::Stopped
            | Ended::UpstreamFailed => None,
        };
        if let Some(broken) = broken.filter(|_| served.end == End::Aborted) {
            let late = served.ended_ms.saturating_sub(broken);
            self.made_late += late / PACE;
            self.aborts.push(late);
        }
    }

    /// The half, ninety-nine in a hundred, and all of the aborts took at most this long.
    fn aborted_within(&mut self) -> Option<[u64; 3]> {
        self.aborts.sort_unstable();
        let last = self.aborts.len().checked_sub(1)?;
        let within = |percent| self.aborts.get(last * percent / 100).copied();
        Some([within(50)?, within(99)?, within(100)?])
    }
}

fn shown(end: &str, sort: &mut Sort) -> String {
    let (streams, made, counted, far) = (sort.streams, sort.made, sort.counted, sort.far);
    let aborted = sort.aborted_within().map_or_else(String::new, |[half, most, all]| {
        format!("; upstream has seen the break after {half} ms (p50), {most} ms (p99), {all} ms (all)")
    });
    format!(
        "{end}: {streams} streams, {counted} of {made} tokens of answers counted, {far} streams wrong by more than 8 tokens and 5 %{aborted}"
    )
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
    let (mut seq, mut met) = (1, Vec::new());
    for _ in 0..rounds {
        met.extend(round(&site, &mut seq, &mut dice).await);
    }
    site.gateway.drain(Duration::ZERO).await;
    let served = site.home.ended(rounds * ROUND + 3, LIMIT).await;
    let records = site.spooled();
    let ids: BTreeSet<&str> = records.iter().map(|record| record.id.as_str()).collect();
    assert_eq!((records.len(), ids.len()), (served.len(), served.len()));
    assert_eq!(served.len(), rounds * ROUND + 3);
    assert_eq!(site.away.log().len(), 0);

    let mut sorts: BTreeMap<&str, Sort> = BTreeMap::new();
    for met in &met {
        let served = served.iter().find(|it| it.id == met.served).unwrap();
        let record = records.iter().find(|it| it.id == met.record).unwrap();
        assert_eq!(record.prompt_tokens, PROMPT, "{record:?}");
        let sort = sorts.entry(record.ended.as_str()).or_default();
        sort.add(met, served, record);
    }
    for (end, sort) in &mut sorts {
        println!("{}", shown(end, sort));
    }
    for end in [
        Ended::Complete,
        Ended::Cut,
        Ended::ClientGone,
        Ended::UpstreamFailed,
    ] {
        assert!(sorts.contains_key(end.as_str()), "none ended {end:?}");
    }
    let streams = met.len() as u64;
    let sum = |of: fn(&Sort) -> u64| sorts.values().map(of).sum::<u64>();
    let (made, counted) = (sum(|sort| sort.made), sum(|sort| sort.counted));
    let late = sum(|sort| sort.made_late);
    let estimated = records.iter().filter(|record| record.estimated).count();
    let (truth, all) = (made + streams * PROMPT, counted + streams * PROMPT);
    println!(
        "{streams} streams, {estimated} counted by ourselves, prompts all right: answers {counted} of {made}, in all {all} of {truth}; at most {late} of these were made when their connection was closed already"
    );
    // A busy machine lets the upstream notice late; on an idle one nothing is made late.
    assert!(
        truth.abs_diff(all) <= truth / 100 + late,
        "{all} counted of {truth}"
    );
}
