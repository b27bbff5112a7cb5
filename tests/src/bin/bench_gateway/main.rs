//! Measures the gateway side by side with its peers on this machine, in turns: `tests/bench/gateway --help`.
//!
//! Every figure of a gateway is end to end; what the way without any gateway costs is measured beside it.

mod asked;
mod client;
mod dark;
mod figures;
mod load;
mod measure;
mod peers;
mod table;

use anyhow::Context as _;
use asked::Asked;
use figures::{All, What};
use peers::Kind;
use site_tests::bench::page;
use std::io::Write as _;

fn main() -> anyhow::Result<()> {
    let asked = Asked::read();
    // The load shares the cores with what is measured: one thread, so that it cannot take both.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut told = std::io::stderr();
    let mut all = All::default();
    for round in 0..asked.rounds {
        writeln!(told, "round {} of {}", round + 1, asked.rounds)?;
        let peers = peers::start_all(&asked, usize::try_from(round)?)?;
        let figures = runtime
            .block_on(measure::round(&peers, &asked))
            .with_context(|| format!("round {}", round + 1))?;
        all.0.push(figures);
    }
    if asked.peers.contains(&Kind::Portcullis) {
        writeln!(told, "open streams going dark")?;
        let dark = dark::measure(&asked)?;
        if let Some(ours) = all
            .0
            .first_mut()
            .and_then(|of| of.get_mut(&Kind::Portcullis))
        {
            ours.insert(What::Dark, dark);
        }
    }
    let tables = table::draw(&all, &asked);
    let shown = if asked.json {
        serde_json::to_string_pretty(&table::json(&all, &asked))?
    } else {
        tables.clone()
    };
    writeln!(std::io::stdout(), "{shown}")?;
    if let Some(path) = &asked.write {
        page::put(path, "gateway", "bench_gateway", &tables)?;
    }
    Ok(())
}
