//! `node-agent update`: takes the newest binary from the control plane, if the house vouches for it and it is not older than this one.

use super::{clock, on_trial, up};
use anyhow::Context as _;
use clap::Args;
use std::io::Write as _;
use std::path::PathBuf;
use uplink::State;

pub(super) const EXAMPLES: &str = "\
Examples:
  sudo node-agent update
  sudo node-agent update --to /usr/local/bin/node-agent && sudo systemctl restart node-agent

The binary counts only under the seal of the house this host joined. What runs goes on until it is started again.
The one before stays beside it, and is put back if the new one does not work in three starts.";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Where the program lies
    #[arg(long, value_name = "FILE", default_value = "/usr/local/bin/node-agent")]
    to: PathBuf,
    /// Where the control plane is, if not where the house said
    #[arg(long, value_name = "ADDRESS:PORT")]
    at: Vec<std::net::SocketAddr>,
    /// Folder of the agent's state
    #[arg(long, value_name = "DIR", default_value = "/var/lib/portcullis-agent")]
    state: PathBuf,
    /// Print JSON instead of text for people
    #[arg(long)]
    json: bool,
}

pub(super) fn update(arguments: &Arguments) -> anyhow::Result<()> {
    let identity = State::at(&up::folder(&arguments.state), clock::now).read()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let here = env!("CARGO_PKG_VERSION");
    let place = on_trial::place(&arguments.to, &arguments.state);
    let taken = uplink::update_agent(&identity, &arguments.at, here, &place);
    let version = runtime.block_on(taken).with_context(|| {
        let to = arguments.to.display();
        format!("{to} is as it was")
    })?;
    let mut out = std::io::stdout().lock();
    let to = arguments.to.display();
    if arguments.json {
        let put = serde_json::json!({ "version": version, "file": arguments.to });
        writeln!(out, "{put}")?;
    } else {
        writeln!(
            out,
            "{to} is version {version} now; it runs from the next start on: systemctl restart node-agent"
        )?;
    }
    Ok(())
}
