//! `node-agent check`: says every mistake of the configuration at once, and what the gateways of this host have against a cut.

use super::FileArgs;
use super::config::{self, Config};
use anyhow::Context as _;
use gateways::Finding;
use kill_wire::Name;
use serde_json::{Value, json};
use std::io::Write as _;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    file: FileArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Look at the file alone, and ask no gateway
    #[arg(long)]
    offline: bool,
}

pub(super) fn check(arguments: &Arguments) -> anyhow::Result<()> {
    let config = config::read(&arguments.file.config)?;
    // What the kernel would refuse is a mistake too, where it can be asked.
    if let Some(fenced) = &config.fence
        && rustix::process::geteuid().is_root()
    {
        fence::Fence::check(&fenced.wish.plan)?;
    }
    let found = match arguments.offline {
        true => Vec::new(),
        false => findings(&config)?,
    };
    let mut out = std::io::stdout().lock();
    if arguments.json {
        writeln!(out, "{}", told(&config, &found))?;
    } else {
        for warning in &config.warnings {
            writeln!(out, "warning: {warning}")?;
        }
        for (name, finding) in each(&found) {
            let how = if finding.grave { "grave" } else { "warning" };
            writeln!(out, "{how}: {name}: {}", finding.text)?;
        }
        writeln!(out, "{}: no mistakes", arguments.file.config.display())?;
    }
    let grave = each(&found).filter(|(_, finding)| finding.grave).count();
    anyhow::ensure!(
        grave == 0,
        "a cut would not work wholly at a gateway of this host: {grave} grave findings"
    );
    Ok(())
}

fn findings(config: &Config) -> anyhow::Result<Vec<(Name, Vec<Finding>)>> {
    let drivers = &config.agent.drivers;
    if drivers.is_empty() {
        return Ok(Vec::new());
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot ask the gateways")?;
    Ok(runtime.block_on(gateway_config::findings(drivers)))
}

fn each(found: &[(Name, Vec<Finding>)]) -> impl Iterator<Item = (&Name, &Finding)> {
    let found = found.iter();
    found.flat_map(|(name, findings)| findings.iter().map(move |it| (name, it)))
}

fn told(config: &Config, found: &[(Name, Vec<Finding>)]) -> Value {
    let warnings = config.warnings.iter();
    let warnings: Vec<_> = warnings
        .map(|it| json!({ "key": it.key, "text": it.text }))
        .collect();
    let drivers = each(found);
    let drivers: Vec<_> = drivers
        .map(|(name, it)| json!({ "driver": name, "grave": it.grave, "text": it.text }))
        .collect();
    json!({ "ok": drivers.iter().all(|it| it["grave"] != true), "warnings": warnings, "findings": drivers })
}
