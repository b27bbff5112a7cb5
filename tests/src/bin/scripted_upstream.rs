//! The scripted upstream as a program. Prints its address as one line, then serves until it is ended.

use anyhow::Context as _;
use clap::Parser;
use site_tests::upstream::{Script, Upstream};
use std::{io::Write as _, net::TcpListener, path::PathBuf};

/// A server that speaks the APIs of models and does what the model's name says.
#[derive(Debug, Parser)]
struct Asked {
    /// Where it listens; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: String,
    /// Writes one JSON line for each ended request.
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// Plays this script whatever the model is called.
    #[arg(long, value_name = "SCRIPT")]
    always: Option<Script>,
}

fn main() -> anyhow::Result<()> {
    let asked = Asked::parse();
    let listener = TcpListener::bind(&asked.listen)
        .with_context(|| format!("listening on {}", asked.listen))?;
    let upstream = Upstream::on(listener, asked.always, asked.log)?;
    writeln!(std::io::stdout(), "{}", upstream.addr)?;
    loop {
        std::thread::park();
    }
}
