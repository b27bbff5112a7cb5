//! `node-agent settle`: the agent of before looks whether the new one works, ahead of each start of it.

use super::on_trial;
use clap::Args;
use std::io::Write as _;
use std::path::PathBuf;
use uplink::trial::{MOST_STARTS, Settled};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The program that is started next
    #[arg(long, value_name = "FILE", default_value = "/usr/local/bin/node-agent")]
    program: PathBuf,
    /// Folder of the agent's state
    #[arg(long, value_name = "DIR", default_value = "/var/lib/portcullis-agent")]
    state: PathBuf,
}

pub(super) fn settle(arguments: &Arguments) -> anyhow::Result<()> {
    let place = on_trial::place(&arguments.program, &arguments.state);
    let said = match place.settle()? {
        Settled::None => return Ok(()),
        Settled::Proven => "the new agent works; it stays".to_owned(),
        Settled::Tried(start) => {
            format!("the new agent is on trial: start {start} of {MOST_STARTS}")
        }
        Settled::PutBack => {
            format!(
                "the new agent did not work in {MOST_STARTS} starts; the one before is in its place again"
            )
        }
    };
    writeln!(std::io::stderr().lock(), "node-agent: {said}")?;
    Ok(())
}
