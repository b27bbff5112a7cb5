//! Takes every figure of one peer that runs.

use crate::{
    asked::Asked,
    client::Question,
    figures::{Figures, Paces},
    load,
    peers::{Kind, Peer},
    process::{Used, used},
};
use anyhow::Context as _;
use site_tests::bench::{
    clock::{mark, ms},
    percentile::percentile,
};
use std::{net::SocketAddr, time::Duration};
use tokio::time::sleep;

/// Words of the small answer: with what stands around them about 1 KB.
const SMALL_WORDS: usize = 160;
/// Chunks of one stream.
const CHUNKS: usize = 200;
/// Streams side by side where they are paced.
const STREAMS: usize = 64;
/// Connections where it goes as fast as it can.
const CONNECTIONS: usize = 8;
/// Streams held open for the memory they take.
const OPEN: usize = 1000;

/// All figures of one peer.
pub(crate) async fn all(peer: &Peer, asked: &Asked) -> anyhow::Result<Figures> {
    let small = question(peer, "steady", SMALL_WORDS, false);
    wait_open(&small).await?;
    let idle = usage(peer)?;
    let mut figures = Figures {
        start_ms: peer.start_ms,
        idle_mb: idle.map(|idle| idle.memory_mb),
        ..Figures::default()
    };
    let total = peer.kind.requests(asked.requests);
    load::closed(&small, CONNECTIONS, total / 10 + 10).await?;
    let before = usage(peer)?;
    let (_, seconds) = load::closed(&small, CONNECTIONS, total)
        .await
        .context("small answers")?;
    figures.small_cpu = per(before, usage(peer)?, total);
    figures.small_rate = Some(count(total) / seconds);
    figures.paces = paces(peer, asked, &small).await?;
    paced(peer, asked, &mut figures).await?;
    burst(peer, asked, &mut figures).await?;
    held(peer, asked, &mut figures).await?;
    Ok(figures)
}

/// Added time at fixed rates.
async fn paces(peer: &Peer, asked: &Asked, small: &Question) -> anyhow::Result<Paces> {
    let mut paces = Paces::default();
    for (rate, slot) in [
        (20, &mut paces.at_20),
        (200, &mut paces.at_200),
        (1000, &mut paces.at_1000),
    ] {
        if peer.kind == Kind::LiteLlm && rate > 20 {
            continue;
        }
        let total = if asked.smoke { 20 } else { rate * 3 };
        let late = load::open(small, rate, total)
            .await
            .with_context(|| format!("{rate} a second"))?;
        *slot = Some((percentile(&late, 50), percentile(&late, 99)));
    }
    Ok(paces)
}

/// Streams as models send them: a chunk every 10 ms.
async fn paced(peer: &Peer, asked: &Asked, figures: &mut Figures) -> anyhow::Result<()> {
    let streams = if asked.smoke || peer.kind == Kind::LiteLlm {
        8
    } else {
        STREAMS
    };
    let question = question(peer, "paced", CHUNKS, true);
    let before = usage(peer)?;
    let (firsts, _) = load::closed(&question, streams, streams)
        .await
        .context("paced streams")?;
    figures.paced_cpu = per(before, usage(peer)?, streams * CHUNKS);
    figures.first_token = Some((percentile(&firsts, 50), percentile(&firsts, 99)));
    Ok(())
}

/// Streams as fast as they are taken.
async fn burst(peer: &Peer, asked: &Asked, figures: &mut Figures) -> anyhow::Result<()> {
    let total = match (asked.smoke, peer.kind) {
        (true, _) => 4,
        (_, Kind::LiteLlm) => 20,
        (_, Kind::Direct | Kind::Portcullis | Kind::Nginx | Kind::LiterLlm) => asked.requests / 8,
    };
    let question = question(peer, "burst", CHUNKS, true);
    let before = usage(peer)?;
    let (_, seconds) = load::closed(&question, CONNECTIONS, total)
        .await
        .context("streams at full speed")?;
    figures.burst_cpu = per(before, usage(peer)?, total);
    figures.burst_rate = Some(count(total) / seconds);
    Ok(())
}

/// Memory of streams that are open.
async fn held(peer: &Peer, asked: &Asked, figures: &mut Figures) -> anyhow::Result<()> {
    let open = match (asked.smoke, peer.kind) {
        (true, _) => 10,
        (_, Kind::LiteLlm) => 100,
        (_, Kind::Direct | Kind::Portcullis | Kind::Nginx | Kind::LiterLlm) => OPEN,
    };
    let question = question(peer, "slow", 1000, true);
    let Some(before) = usage(peer)? else {
        return Ok(());
    };
    let held = load::Held::open(&question, open)
        .await
        .context("open streams")?;
    sleep(Duration::from_secs(2)).await;
    if let Some(with) = usage(peer)? {
        let added = (with.memory_mb - before.memory_mb) * 1000.0 / count(held.count());
        figures.stream_kb = Some(added);
        figures.open_mb = Some(with.memory_mb);
    }
    Ok(())
}

fn question(peer: &Peer, model: &str, words: usize, stream: bool) -> Question {
    let body = serde_json::json!({
        "model": model, "stream": stream, "max_tokens": words,
        "messages": [{"role": "user", "content": "Please say as many words as you are asked for."}],
    });
    let to: SocketAddr = peer.at;
    Question {
        to,
        key: peer.key.clone(),
        body: body.to_string().into(),
    }
}

/// Until it lets the consumer through: ours is closed until its agent has spoken.
async fn wait_open(question: &Question) -> anyhow::Result<()> {
    let began = mark();
    loop {
        let asked = load::closed(question, 1, 1).await;
        match asked {
            Ok(_) => return Ok(()),
            Err(error) if ms(began, mark()) > 60_000.0 => return Err(error),
            Err(_) => sleep(Duration::from_millis(20)).await,
        }
    }
}

fn usage(peer: &Peer) -> anyhow::Result<Option<Used>> {
    peer.program
        .as_ref()
        .map(|program| used(program.id()))
        .transpose()
}

/// Microseconds of processor time for each.
fn per(before: Option<Used>, after: Option<Used>, how_many: usize) -> Option<f64> {
    let spent = after?.cpu_ms - before?.cpu_ms;
    Some(spent * 1000.0 / count(how_many))
}

fn count(how_many: usize) -> f64 {
    f64::from(u32::try_from(how_many).unwrap_or(u32::MAX))
}
