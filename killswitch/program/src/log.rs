//! The log: standard error, for people or as JSON lines.
//!
//! It is written by a thread of its own. Whoever reads it may stop reading; then lines are dropped, and nothing that
//! acts waits for them.

use clap::Args;
use std::io::IsTerminal as _;
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer, Registry, fmt, registry};

/// What is logged unless `RUST_LOG` says otherwise: our own parts from `info`, libraries from `warn`.
const DEFAULT: &str = "warn,portcullis=info,killswitchd=info,node_agent=info,gateway=info,gateways=info,fence=info,kill_courier=info,tasks=info,dash=info,store=info";

/// How a running program speaks.
#[derive(Debug, Args)]
pub struct LogArgs {
    /// Log as JSON lines (level and targets: RUST_LOG)
    #[arg(long)]
    log_json: bool,
}

/// Lines that wait for a slow reader; more are dropped.
const WAITING: usize = 4096;

/// Starts it; must run once, before anything else of a program that stays. The log ends, flushed, when what it returns is dropped.
pub fn start_log(args: &LogArgs) -> anyhow::Result<WorkerGuard> {
    let wanted = match std::env::var("RUST_LOG") {
        Ok(wanted) if !wanted.is_empty() => wanted,
        _ => DEFAULT.to_owned(),
    };
    // Levels and targets, and nothing that needs regular expressions: they would be a tenth of an agent's program.
    let filter: Targets = wanted
        .parse()
        .map_err(|why| anyhow::anyhow!("RUST_LOG is not a filter: {why}"))?;
    let colour = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let (writer, guard) = NonBlockingBuilder::default()
        .buffered_lines_limit(WAITING)
        .lossy(true)
        .thread_name("log")
        .finish(std::io::stderr());
    let lines = fmt::layer().with_writer(writer);
    let lines: Box<dyn Layer<Registry> + Send + Sync> = if args.log_json {
        lines.json().flatten_event(true).boxed()
    } else {
        let ansi = colour && std::io::stderr().is_terminal();
        lines.with_ansi(ansi).boxed()
    };
    let started = registry().with(lines.with_filter(filter)).try_init();
    started.map_err(|why| anyhow::anyhow!("the log cannot start: {why}"))?;
    Ok(guard)
}
