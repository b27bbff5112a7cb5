//! What the command line says.

use crate::peers::Kind;
use anyhow::{Context as _, bail};
use std::path::PathBuf;

/// How much is measured, and with what.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) rounds: u32,
    /// Small requests of one round; peers that are slower by orders get fewer.
    pub(crate) requests: usize,
    pub(crate) peers: Vec<Kind>,
    pub(crate) bin: PathBuf,
    pub(crate) liter_llm: PathBuf,
    pub(crate) litellm: PathBuf,
    pub(crate) write: Option<PathBuf>,
    /// Everything once and short: shows that it runs, measures nothing of worth.
    pub(crate) smoke: bool,
}

impl Asked {
    /// Reads the arguments of this process.
    pub(crate) fn read() -> anyhow::Result<Self> {
        // The programs are built side by side.
        let own = std::env::current_exe()?;
        let mut asked = Self {
            rounds: 5,
            requests: 4000,
            peers: Kind::ALL.to_vec(),
            bin: own
                .parent()
                .context("no folder of this program")?
                .to_owned(),
            liter_llm: "liter-llm".into(),
            litellm: ".venv/bin/litellm".into(),
            write: None,
            smoke: false,
        };
        let mut args = std::env::args().skip(1);
        while let Some(arg) = args.next() {
            let value = args
                .next()
                .with_context(|| format!("{arg} needs a value"))?;
            match arg.as_str() {
                "--rounds" => asked.rounds = value.parse().context("--rounds")?,
                "--requests" => asked.requests = value.parse().context("--requests")?,
                "--peers" => {
                    asked.peers = value.split(',').map(Kind::of).collect::<Result<_, _>>()?;
                }
                "--bin" => asked.bin = value.into(),
                "--liter-llm" => asked.liter_llm = value.into(),
                "--litellm" => asked.litellm = value.into(),
                "--write" => asked.write = Some(value.into()),
                "--smoke" => asked.smoke = value.parse().context("--smoke")?,
                _ => bail!(
                    "unknown argument {arg}; expected --rounds, --requests, --peers, --bin, --liter-llm, --litellm, --write or --smoke"
                ),
            }
        }
        if asked.smoke {
            (asked.rounds, asked.requests) = (1, 40);
        }
        Ok(asked)
    }
}
