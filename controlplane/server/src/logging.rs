//! The log: standard error, for people or as JSON lines.

use clap::Args;
use std::io::IsTerminal as _;
use tracing_subscriber::EnvFilter;

/// What is logged unless `RUST_LOG` says otherwise: our own parts from `info`, libraries from `warn`.
const DEFAULT: &str = "warn,portcullis=info,killswitchd=info,node_agent=info,gateway=info,gateways=info,tasks=info,dash=info,store=info";

/// How a running program speaks.
#[derive(Debug, Args)]
pub(crate) struct LogArgs {
    /// Log as JSON lines (level and targets: RUST_LOG)
    #[arg(long)]
    log_json: bool,
}

/// Starts it; must run once, before anything else of a program that stays.
pub(crate) fn start(args: &LogArgs) -> anyhow::Result<()> {
    let filter = match std::env::var("RUST_LOG") {
        Ok(wanted) if !wanted.is_empty() => EnvFilter::try_new(&wanted)
            .map_err(|why| anyhow::anyhow!("RUST_LOG is not a filter: {why}"))?,
        _ => EnvFilter::new(DEFAULT),
    };
    let colour = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let started = if args.log_json {
        log.json().flatten_event(true).try_init()
    } else {
        log.with_ansi(colour && std::io::stderr().is_terminal())
            .try_init()
    };
    started.map_err(|why| anyhow::anyhow!("the log cannot start: {why}"))
}
