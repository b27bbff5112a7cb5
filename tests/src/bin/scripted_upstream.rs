//! The scripted upstream as a program: `scripted_upstream --listen 127.0.0.1:0 [--log FILE] [--always SCRIPT]`.
//!
//! Prints its address as one line, then serves until it is ended.

use anyhow::{Context as _, bail};
use site_tests::upstream::{Script, Upstream};
use std::{io::Write as _, net::TcpListener, path::PathBuf};

fn main() -> anyhow::Result<()> {
    let mut listen = "127.0.0.1:0".to_owned();
    let mut log: Option<PathBuf> = None;
    let mut always: Option<Script> = None;
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let value = args
            .next()
            .with_context(|| format!("{arg} needs a value"))?;
        match arg.as_str() {
            "--listen" => listen = value,
            "--log" => log = Some(value.into()),
            "--always" => always = Some(value.parse().map_err(anyhow::Error::msg)?),
            _ => bail!("unknown argument {arg}; expected --listen, --log or --always"),
        }
    }
    let listener = TcpListener::bind(&listen).with_context(|| format!("listening on {listen}"))?;
    let upstream = Upstream::on(listener, always, log)?;
    writeln!(std::io::stdout(), "{}", upstream.addr)?;
    loop {
        std::thread::park();
    }
}
