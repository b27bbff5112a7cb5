//! Takes every figure of every peer of a round: one kind of load after the other, and of each kind one peer after the
//! other.

use crate::{
    asked::Asked,
    client::Question,
    figures::{Figures, What},
    load::{self, Begin, Until},
    peers::{Kind, Peer},
};
use anyhow::Context as _;
use site_tests::bench::{
    percentile::percentile,
    process::{Used, used},
};
use std::{collections::BTreeMap, io::Write as _, time::Duration};
use tokio::time::sleep;

/// Words of the small answer: with what stands around them about 1 KB.
pub(crate) const SMALL_WORDS: usize = 160;
/// Chunks of a stream at full speed.
const BURST_CHUNKS: usize = 200;
/// Chunks of a paced stream: six seconds, so that the kernel's 10 ms of processor time do not blur what they cost.
const PACED_CHUNKS: usize = 600;
/// Paced streams that begin in a second.
const STREAMS: usize = 64;
/// Connections where it goes as fast as it can.
const CONNECTIONS: usize = 8;
/// Streams held open for the memory they take; and as many more.
const OPEN: usize = 1000;

/// One kind of load.
#[derive(Clone, Copy, Debug)]
enum Step {
    Small,
    Rates,
    Paced,
    Burst,
    // The last: a peer may go on with streams whose client has left.
    Held,
}

/// All figures of all peers.
pub(crate) async fn round(
    peers: &[Peer],
    asked: &Asked,
) -> anyhow::Result<BTreeMap<Kind, Figures>> {
    let mut all = BTreeMap::new();
    for peer in peers {
        let mut figures = Figures::new();
        if let (Some(idle), Some(start_ms)) = (usage(peer)?, peer.start_ms) {
            figures.insert(What::IdleMemory, idle.memory_mb);
            figures.insert(What::Start, start_ms);
        }
        all.insert(peer.kind, figures);
    }
    let mut told = std::io::stderr();
    for step in [
        Step::Small,
        Step::Rates,
        Step::Paced,
        Step::Burst,
        Step::Held,
    ] {
        for peer in peers {
            let taken = match step {
                Step::Small => small(peer, asked).await,
                Step::Rates => rates(peer, asked).await,
                Step::Paced => paced(peer, asked).await,
                Step::Burst => burst(peer, asked).await,
                Step::Held => held(peer, asked).await,
            };
            let taken = taken.with_context(|| format!("{}: {step:?}", peer.kind))?;
            let shown: Vec<String> = taken
                .iter()
                .map(|(what, figure)| format!("{what:?} {figure:.2} {}", what.unit()))
                .collect();
            writeln!(told, "  {:<10} {}", peer.kind.name(), shown.join(", "))?;
            all.entry(peer.kind).or_default().extend(taken);
        }
    }
    Ok(all)
}

/// Small answers as fast as they come.
async fn small(peer: &Peer, asked: &Asked) -> anyhow::Result<Figures> {
    let total = peer.kind.fewer(asked.requests, asked.requests / 40 + 20);
    load::closed(&peer.small(), CONNECTIONS, total / 10 + 10).await?;
    let before = usage(peer)?;
    let seconds = load::closed(&peer.small(), CONNECTIONS, total).await?;
    let mut figures = cpu(What::SmallCpu, before, usage(peer)?, total);
    figures.insert(What::SmallRate, count(total) / seconds);
    Ok(figures)
}

/// Small answers at fixed rates.
async fn rates(peer: &Peer, asked: &Asked) -> anyhow::Result<Figures> {
    let mut figures = Figures::new();
    // The slower ones take less than the kernel's clock tells.
    for (rate, p50, p99, each) in [
        (20, What::P50At20, None, None),
        (200, What::P50At200, Some(What::P99At200), None),
        (
            1000,
            What::P50At1000,
            Some(What::P99At1000),
            Some(What::SmallCpuAt1000),
        ),
    ] {
        if peer.kind == Kind::LiteLlm && rate > 20 {
            continue;
        }
        let total = if asked.smoke { 20 } else { rate * 3 };
        let before = usage(peer)?;
        let late = load::open(&peer.small(), rate, total, Until::Answered)
            .await
            .with_context(|| format!("{rate} a second"))?;
        if let Some(each) = each {
            figures.extend(cpu(each, before, usage(peer)?, total));
        }
        figures.insert(p50, percentile(&late, 50));
        figures.extend(p99.map(|p99| (p99, percentile(&late, 99))));
    }
    Ok(figures)
}

/// Streams as models send them: a chunk every 10 ms.
async fn paced(peer: &Peer, asked: &Asked) -> anyhow::Result<Figures> {
    let (streams, chunks) = if asked.smoke {
        (8, 20)
    } else {
        (peer.kind.fewer(STREAMS, 4), PACED_CHUNKS)
    };
    let question = peer.question("paced", chunks, true);
    let before = usage(peer)?;
    let firsts = load::open(&question, STREAMS, streams, Until::FirstByte).await?;
    let mut figures = cpu(What::PacedCpu, before, usage(peer)?, streams * chunks);
    figures.insert(What::FirstTokenP50, percentile(&firsts, 50));
    figures.insert(What::FirstTokenP99, percentile(&firsts, 99));
    Ok(figures)
}

/// Streams as fast as they are taken.
async fn burst(peer: &Peer, asked: &Asked) -> anyhow::Result<Figures> {
    let total = if asked.smoke {
        4
    } else {
        peer.kind.fewer(asked.requests / 8, 20)
    };
    let question = peer.question("burst", BURST_CHUNKS, true);
    let before = usage(peer)?;
    let seconds = load::closed(&question, CONNECTIONS, total).await?;
    let mut figures = cpu(What::BurstCpu, before, usage(peer)?, total);
    figures.insert(What::BurstRate, count(total) / seconds);
    Ok(figures)
}

/// Memory of streams that are open.
async fn held(peer: &Peer, asked: &Asked) -> anyhow::Result<Figures> {
    let open = if asked.smoke {
        10
    } else {
        peer.kind.fewer(OPEN, 100)
    };
    let mut figures = Figures::new();
    let question = peer.question("slow", 1000, true);
    let mut held = Vec::new();
    for (begin, what) in [
        (Begin::OneByOne, What::StreamMemory),
        (Begin::AtOnce, What::RushMemory),
    ] {
        let Some(before) = usage(peer)? else {
            continue;
        };
        held.push(load::held(&question, open, begin).await?);
        sleep(Duration::from_secs(2)).await;
        if let Some(with) = usage(peer)? {
            let added = (with.memory_mb - before.memory_mb) * 1000.0 / count(open);
            figures.insert(what, added);
        }
    }
    Ok(figures)
}

impl Peer {
    fn question(&self, model: &str, words: usize, stream: bool) -> Question {
        Question::new(self.at, &self.key, model, words, stream)
    }

    fn small(&self) -> Question {
        self.question("steady", SMALL_WORDS, false)
    }
}

fn usage(peer: &Peer) -> anyhow::Result<Option<Used>> {
    peer.program
        .as_ref()
        .map(|program| used(program.id()))
        .transpose()
}

/// Microseconds of processor time for each.
fn cpu(what: What, before: Option<Used>, after: Option<Used>, how_many: usize) -> Figures {
    let spent = before.zip(after);
    spent
        .map(|(before, after)| {
            (
                what,
                (after.cpu_ms - before.cpu_ms) * 1000.0 / count(how_many),
            )
        })
        .into_iter()
        .collect()
}

fn count(how_many: usize) -> f64 {
    f64::from(u32::try_from(how_many).unwrap_or(u32::MAX))
}
