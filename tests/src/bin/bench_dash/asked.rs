//! What the command line says.

use clap::Parser;
use site_tests::bench::{page, running};
use std::path::PathBuf;

const EXAMPLE: &str = "Example, about three minutes:
  cargo build --release -p portcullis -p site-tests --bins
  target/release/bench_dash --write docs/benchmarks.md

A short look, which measures nothing of worth:
  target/debug/bench_dash --hosts 20 --calls 2000 --rounds 3";

/// Measures how long each page of the dashboard takes over a full database, and how much each weighs.
#[derive(Debug, Parser)]
#[command(after_help = EXAMPLE)]
pub(crate) struct Asked {
    /// How many hosts there are.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(8..=4000))]
    pub(crate) hosts: u32,
    /// How many calls the ledger holds, over thirty days.
    #[arg(long, default_value_t = 1_000_000)]
    pub(crate) calls: u64,
    /// How often each page is fetched.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) rounds: u32,
    /// Where the programs are; beside this one unless said.
    #[arg(long, value_name = "DIR")]
    bin: Option<PathBuf>,
    /// Puts the table into this page, between its marks.
    #[arg(long, value_name = "FILE")]
    pub(crate) write: Option<PathBuf>,
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
