//! Measures the gateway side by side with its peers on this machine, in turns, over one scripted upstream:
//! `bench_gateway [--rounds 5] [--requests 4000] [--peers direct,portcullis,nginx,liter-llm,litellm] [--bin DIR]
//! [--liter-llm PROGRAM] [--litellm PROGRAM] [--write FILE] [--smoke true]`.
//!
//! Every figure of a gateway is end to end; what the way without any gateway costs is measured beside it. A peer
//! whose program is not there is left out and named.

mod asked;
mod client;
mod figures;
mod load;
mod measure;
mod peers;
mod process;
mod table;

use anyhow::Context as _;
use asked::Asked;
use figures::All;
use std::io::Write as _;

fn main() -> anyhow::Result<()> {
    let asked = Asked::read()?;
    // The load shares the cores with what is measured: one thread, so that it cannot take both.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut out = std::io::stdout();
    let mut all = All::default();
    for round in 1..=asked.rounds {
        for kind in &asked.peers {
            let Some(peer) = peers::start(*kind, &asked)? else {
                writeln!(out, "round {round}: {} is not here; left out", kind.name())?;
                continue;
            };
            let figures = runtime
                .block_on(measure::all(&peer, &asked))
                .with_context(|| format!("round {round}, {}", kind.name()))?;
            writeln!(out, "round {round}: {:<10} {}", kind.name(), figures.line())?;
            all.add(*kind, figures);
        }
    }
    let text = table::draw(&all, &asked);
    writeln!(out, "\n{text}")?;
    if let Some(path) = &asked.write {
        table::put(path, &text)?;
    }
    Ok(())
}
