//! Measures a cut of a running house: `bench_cut [--rounds 10] [--streams 200] [--bin DIR] [--write FILE]`.
//!
//! Each round starts `portcullis up` on a fresh copy of a set-up state folder, opens the streams through the gateway,
//! texts a KILL code through the generic channel, and takes times from the instant before the text is sent: until new
//! requests are refused, until each stream's last byte, until the upstream saw each stream aborted, until the reply.

mod clock;
mod figures;
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
    bin: PathBuf,
    write: Option<PathBuf>,
}

fn asked() -> anyhow::Result<Asked> {
    // The programs are built side by side.
    let own = std::env::current_exe()?;
    let mut asked = Asked {
        rounds: 10,
        streams: 200,
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
            "--bin" => asked.bin = value.into(),
            "--write" => asked.write = Some(value.into()),
            _ => {
                bail!("unknown argument {arg}; expected --rounds, --streams, --bin or --write")
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
    let mut all = Figures::default();
    for number in 1..=asked.rounds {
        let figures = runtime
            .block_on(round::play(&template, asked.streams))
            .with_context(|| format!("round {number}"))?;
        writeln!(out, "round {number}: {}", figures.line())?;
        all.add(figures);
    }
    let text = table::draw(&all, asked.rounds, asked.streams);
    writeln!(out, "\n{text}")?;
    if let Some(path) = asked.write {
        table::put(&path, &text)?;
    }
    Ok(())
}
