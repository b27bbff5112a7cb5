//! What the command line says.

use clap::Parser;
use site_tests::bench::{page, running};
use std::path::PathBuf;
use std::time::Duration;

const EXAMPLE: &str = "Example, about five minutes:
  cargo build --release -p portcullis -p site-tests --bins
  target/release/bench_hosts --write docs/benchmarks.md

A short look, which measures nothing of worth:
  target/debug/bench_hosts --hosts 20 --seconds 5 --every 1 --pages 20 --hostile 100";

/// Measures a control plane that many hosts report to over mutual TLS: processor, memory, how long a report takes until it is on
/// disk, with and without one host that floods, and how long the pages take meanwhile.
#[derive(Debug, Parser)]
#[command(after_help = EXAMPLE)]
pub(crate) struct Asked {
    /// How many hosts join and report.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=4000))]
    pub(crate) hosts: u32,
    /// How long they report before anything else is done, and how long the flood's turns take together.
    #[arg(long, default_value_t = 120, value_parser = clap::value_parser!(u32).range(1..=3600))]
    seconds: u32,
    /// Seconds between two reports of a host.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=60))]
    every: u32,
    /// Reports that the flooding host sends in all.
    #[arg(long, default_value_t = 10_000)]
    pub(crate) hostile: u32,
    /// How often each kind of page is fetched.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) pages: u32,
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

    /// How long the quiet while is.
    pub(crate) fn span(&self) -> Duration {
        Duration::from_secs(self.seconds.into())
    }

    /// From one report of a host to its next.
    pub(crate) fn period(&self) -> Duration {
        Duration::from_secs(self.every.into())
    }
}
