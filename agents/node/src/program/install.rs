//! `node-agent install`: program, user, folders, configuration and units, in one command that can be run again.

mod plan;
mod units;

use anyhow::{Context as _, ensure};
use clap::Args;
use plan::{Plan, Step};
use std::io::Write as _;

pub(super) const EXAMPLES: &str = "\
Examples:
  sudo ./node-agent install              then: sudo node-agent join -
  sudo ./node-agent install --fence      on a host whose firewall it may close
  ./node-agent install --print           show every file and command, and do nothing

What is there already is replaced, but for the configuration, which is left alone.";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// This host has a fence: the unit may change its firewall and freeze what runs
    #[arg(long)]
    fence: bool,
    /// Show what would be done, and do nothing
    #[arg(long)]
    print: bool,
    /// Print JSON instead of text for people
    #[arg(long)]
    json: bool,
    /// Put everything below this folder and run no command, for an image
    #[arg(long, value_name = "DIR")]
    root: Option<std::path::PathBuf>,
}

pub(super) fn install(arguments: &Arguments) -> anyhow::Result<()> {
    let plan = Plan::of(arguments.fence);
    if arguments.print {
        return say(arguments, &plan, false);
    }
    if arguments.root.is_none() {
        ensure!(
            rustix::process::geteuid().is_root(),
            "this needs root; see what would be done with --print"
        );
        ensure!(
            std::path::Path::new("/run/systemd/system").is_dir(),
            "systemd does not run here; --root DIR puts the files below a folder"
        );
    }
    let own = std::env::current_exe().context("where this program lies is not known")?;
    let own = std::fs::read(&own).with_context(|| format!("cannot read {}", own.display()))?;
    for step in &plan.steps {
        step.take(arguments.root.as_deref(), &own)?;
    }
    say(arguments, &plan, true)
}

fn say(arguments: &Arguments, plan: &Plan, done: bool) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    if arguments.json {
        let steps: Vec<_> = plan.steps.iter().map(Step::json).collect();
        let said = serde_json::json!({ "done": done, "steps": steps });
        writeln!(out, "{said}")?;
        return Ok(());
    }
    for step in &plan.steps {
        if done {
            writeln!(out, "{}", step.title())?;
        } else {
            writeln!(out, "{}", step.shown())?;
        }
    }
    if done && arguments.root.is_none() {
        writeln!(
            out,
            "\nNow join the house, then start it:\n  node-agent join -\n  systemctl enable --now node-agent"
        )?;
    }
    Ok(())
}
