//! Measures a cut of a running house.
//!
//! Each round starts `portcullis up` on a fresh copy of a set-up state folder, opens the streams through the gateway,
//! texts a KILL code through the generic channel, and takes times from the instant before the text is sent: until new
//! requests are refused, until each stream's last byte, until the upstream saw each stream aborted, until the reply.

mod figures;
mod flood;
mod house;
mod http;
mod prober;
mod round;
mod table;
mod volley;

use anyhow::Context as _;
use clap::Parser;
use figures::Figures;
use house::Template;
use site_tests::bench::{page, running};
use std::{io::Write as _, path::PathBuf};

/// Measures what a text costs until nothing passes any more.
#[derive(Debug, Parser)]
pub(crate) struct Asked {
    /// Cuts, each of a house of its own.
    #[arg(long, default_value_t = 10)]
    rounds: u32,
    /// Streams that are open when the text is sent.
    #[arg(long, default_value_t = 200)]
    streams: usize,
    /// What the scripted upstream plays: `steady` is a chunk every 20 ms, `slow` a chunk a second.
    #[arg(long, default_value = "steady")]
    model: String,
    /// Measures the cut in the middle of so many forged webhooks a second, instead of with streams.
    #[arg(long, value_name = "RATE")]
    flood: Option<u32>,
    /// Where the programs are; beside this one unless said.
    #[arg(long, value_name = "DIR")]
    bin: Option<PathBuf>,
    /// Puts the table into this page, between its marks.
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
    /// Prints the figures as JSON instead of a table.
    #[arg(long, conflicts_with = "flood")]
    json: bool,
}

fn main() -> anyhow::Result<()> {
    let asked = Asked::parse();
    let bin = asked.bin.clone().map_or_else(running::beside, Ok)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut told = std::io::stderr();
    let template = Template::make(&bin)?;
    let (part, table, shown) = if let Some(rate) = asked.flood {
        let mut pair = flood::Pair::default();
        for number in 1..=asked.rounds {
            let line = runtime
                .block_on(pair.play(&template, rate))
                .with_context(|| format!("round {number}"))?;
            writeln!(told, "round {number}: {line}")?;
        }
        let table = pair.draw(asked.rounds, rate);
        ("flood", table.clone(), table)
    } else {
        let mut all = Figures::default();
        for number in 1..=asked.rounds {
            let figures = runtime
                .block_on(round::play(&template, asked.streams, &asked.model))
                .with_context(|| format!("round {number}"))?;
            writeln!(told, "round {number}: {}", figures.line())?;
            all.add(figures);
        }
        let table = table::draw(&all, asked.rounds, asked.streams);
        let shown = if asked.json {
            table::json(&all).to_string()
        } else {
            table.clone()
        };
        ("figures", table, shown)
    };
    writeln!(std::io::stdout(), "{shown}")?;
    if let Some(path) = asked.write {
        page::put(&path, part, "bench_cut", &table)?;
    }
    Ok(())
}
