//! `node-agent check`: says every mistake of the configuration at once.

use super::FileArgs;
use super::config;
use std::io::Write as _;

pub(super) fn check(arguments: &FileArgs) -> anyhow::Result<()> {
    let config = config::read(&arguments.config)?;
    // What the kernel would refuse is a mistake too, where it can be asked.
    if let Some(fenced) = &config.fence
        && rustix::process::geteuid().is_root()
    {
        fence::Fence::check(&fenced.wish.plan)?;
    }
    let mut out = std::io::stdout().lock();
    for warning in &config.warnings {
        writeln!(out, "warning: {warning}")?;
    }
    writeln!(out, "{}: no mistakes", arguments.config.display())?;
    Ok(())
}
