//! What the command line says.

use crate::peers::Kind;
use clap::Parser;
use site_tests::bench::{page, running};
use std::path::PathBuf;

/// Measures the gateway beside its peers on this machine, in turns, each over a scripted upstream of its own.
///
/// All peers stand at once and each kind of load goes to one after the other, so that what else the machine does meets
/// all of them. A peer whose program is not there is left out and named. Progress goes to standard error.
#[derive(Debug, Parser)]
#[command(bin_name = "tests/bench/gateway")]
pub(crate) struct Asked {
    /// Rounds; every figure is the median of them.
    #[arg(long, default_value_t = 5)]
    pub(crate) rounds: u32,
    /// Small requests of one round; LiteLLM, slower by orders, gets a fortieth.
    #[arg(long, default_value_t = 20_000)]
    pub(crate) requests: usize,
    /// Who is measured, separated by commas.
    #[arg(long, value_delimiter = ',', default_values_t = Kind::ALL)]
    pub(crate) peers: Vec<Kind>,
    /// Where our programs are; beside this one unless said.
    #[arg(long, value_name = "DIR")]
    bin: Option<PathBuf>,
    /// The program of liter-llm.
    #[arg(long, value_name = "PROGRAM", default_value = "liter-llm")]
    pub(crate) liter_llm: PathBuf,
    /// The program of LiteLLM.
    #[arg(long, value_name = "PROGRAM", default_value = ".venv/bin/litellm")]
    pub(crate) litellm: PathBuf,
    /// Puts the tables into this page, between the marks of `gateway`.
    #[arg(long, value_name = "FILE")]
    pub(crate) write: Option<PathBuf>,
    /// Prints the figures of every round, their medians and the aims as JSON instead of tables.
    #[arg(long)]
    pub(crate) json: bool,
    /// Everything once and short: shows that it runs, measures nothing of worth.
    #[arg(long)]
    pub(crate) smoke: bool,
    /// How busy the machine was before: its load average of the last minute.
    #[arg(skip)]
    pub(crate) load_before: String,
}

impl Asked {
    /// Reads the arguments of this process.
    pub(crate) fn read() -> Self {
        let mut asked = Self::parse();
        asked.load_before = page::load();
        if asked.smoke {
            (asked.rounds, asked.requests) = (1, 40);
        }
        asked
    }

    /// Where our programs are.
    pub(crate) fn bin(&self) -> anyhow::Result<PathBuf> {
        self.bin.clone().map_or_else(running::beside, Ok)
    }
}
