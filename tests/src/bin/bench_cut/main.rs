//! Measures a cut of a running house: `bench_cut [--rounds 10] [--streams 200] [--flood RATE] [--bin DIR] [--write FILE]`.
//!
//! With `--flood`, the cut is measured in the middle of so many forged webhooks a second instead of with streams.
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

use anyhow::{Context as _, bail};
use figures::Figures;
use house::Template;
use std::{io::Write as _, path::PathBuf};

/// What the command line says.
struct Asked {
    rounds: u32,
    streams: usize,
    flood: Option<u32>,
    bin: PathBuf,
    write: Option<PathBuf>,
}

fn asked() -> anyhow::Result<Asked> {
    // The programs are built side by side.
    let own = std::env::current_exe()?;
    let mut asked = Asked {
        rounds: 10,
        streams: 200,
        flood: None,
        bin: own
            .parent()
            .context("no folder of this program")?
            .to_owned(),
        write: None,
    };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let value = args
            .next()
            .with_context(|| format!("{arg} needs a value"))?;
        match arg.as_str() {
            "--rounds" => asked.rounds = value.parse().context("--rounds")?,
            "--streams" => asked.streams = value.parse().context("--streams")?,
            "--flood" => asked.flood = Some(value.parse().context("--flood")?),
            "--bin" => asked.bin = value.into(),
            "--write" => asked.write = Some(value.into()),
            _ => {
                bail!(
                    "unknown argument {arg}; expected --rounds, --streams, --flood, --bin or --write"
                )
            }
        }
    }
    Ok(asked)
}

fn main() -> anyhow::Result<()> {
    let asked = asked()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut out = std::io::stdout();
    let template = Template::make(&asked.bin)?;
    let (part, text) = if let Some(rate) = asked.flood {
        let mut pair = flood::Pair::default();
        for number in 1..=asked.rounds {
            let line = runtime
                .block_on(pair.play(&template, rate))
                .with_context(|| format!("round {number}"))?;
            writeln!(out, "round {number}: {line}")?;
        }
        (table::FLOOD, pair.draw(asked.rounds, rate))
    } else {
        let mut all = Figures::default();
        for number in 1..=asked.rounds {
            let figures = runtime
                .block_on(round::play(&template, asked.streams))
                .with_context(|| format!("round {number}"))?;
            writeln!(out, "round {number}: {}", figures.line())?;
            all.add(figures);
        }
        (table::CUT, table::draw(&all, asked.rounds, asked.streams))
    };
    writeln!(out, "\n{text}")?;
    if let Some(path) = asked.write {
        table::put(&path, part, &text)?;
    }
    Ok(())
}
