//! What the command line says.

use clap::Parser;
use site_tests::bench::{page, running};
use std::path::PathBuf;

const EXAMPLE: &str = "Example, about five minutes:
  cargo build --release -p portcullis -p site-tests --bins
  target/release/bench_dash --paint --write docs/benchmarks.md

A short look, which measures nothing of worth:
  target/debug/bench_dash --hosts 20 --usage 5000 --incidents 100 --rounds 3";

/// Measures the pages of a house that has run for a year: how long the server takes for each, how much it sends, and how long
/// a browser takes to show it.
#[derive(Debug, Parser)]
#[command(after_help = EXAMPLE)]
pub(crate) struct Asked {
    /// Hosts in the house.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=4000))]
    pub(crate) hosts: u32,
    /// Exchanges in the ledger.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub(crate) usage: u64,
    /// Incidents in the journal.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=50_000))]
    pub(crate) incidents: u32,
    /// How often each page is asked for.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) rounds: u32,
    /// Has each page shown by a browser, too: needs chromedriver and chromium.
    #[arg(long)]
    pub(crate) paint: bool,
    /// Where the programs are; beside this one unless said.
    #[arg(long, value_name = "DIR")]
    bin: Option<PathBuf>,
    /// Puts the table into this page, between its marks.
    #[arg(long, value_name = "FILE")]
    pub(crate) write: Option<PathBuf>,
    /// Prints the figures and the aims as JSON instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
    /// How busy the machine was before: its load average of the last minute.
    #[arg(skip)]
    pub(crate) load_before: String,
}

impl Asked {
    /// Reads the arguments of this process.
    pub(crate) fn read() -> Self {
        let mut asked = Self::parse();
        asked.load_before = page::load();
        asked
    }

    /// Where the programs are.
    pub(crate) fn bin(&self) -> anyhow::Result<PathBuf> {
        self.bin.clone().map_or_else(running::beside, Ok)
    }
}
