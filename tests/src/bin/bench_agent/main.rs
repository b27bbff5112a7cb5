//! A day of a real `node-agent` in minutes: what the whole process weighs, and whether it grows.
//!
//! The agent joins a real control plane over mutual TLS and brings it every report; only the pause between two reports is
//! shorter. What the control plane does not take at that pace waits in the agent's buffer file, as in an outage.

mod agent;
mod table;

use agent::Agent;
use anyhow::ensure;
use clap::Parser;
use site_tests::bench::controlplane::House;
use site_tests::bench::process::resident_mb;
use site_tests::bench::{page, running};
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;
use store::Store;
use table::Figures;

const EXAMPLE: &str = "Example, a quarter of an hour or more; what is weighed is what hosts run:
  cargo build --release -p portcullis -p site-tests --bins
  agents/node/release
  target/release/bench_agent --agent target/x86_64-unknown-linux-gnu/agent/node-agent --beat-ms 100 --write docs/benchmarks.md";

/// Lets a real node agent report a day in minutes, and weighs it.
#[derive(Debug, Parser)]
#[command(after_help = EXAMPLE)]
struct Asked {
    /// The agent's program; `node-agent` beside this one unless said.
    #[arg(long, value_name = "FILE")]
    agent: Option<PathBuf>,
    /// How many reports; 8640 are a day.
    #[arg(long, default_value_t = 8640, value_parser = clap::value_parser!(u64).range(100..=1_000_000))]
    beats: u64,
    /// Milliseconds between two reports.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(10..=10_000))]
    beat_ms: u64,
    /// Where the other programs are; beside this one unless said.
    #[arg(long, value_name = "DIR")]
    bin: Option<PathBuf>,
    /// Puts the table into this page, between its marks.
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
    /// Prints the figures as JSON instead of a table.
    #[arg(long)]
    json: bool,
}

fn main() -> anyhow::Result<()> {
    let asked = Asked::parse();
    let bin = asked.bin.clone().map_or_else(running::beside, Ok)?;
    let program = asked.agent.clone();
    let program = program.unwrap_or_else(|| bin.join("node-agent"));
    let house = House::start(&bin)?;
    let agent = Agent::start(&house, &program, asked.beat_ms)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let figures = runtime.block_on(weigh(&house, &agent, &asked))?;
    let size = std::fs::metadata(&program)?.len();
    let table = table::draw(&figures, size);
    let shown = match asked.json {
        true => serde_json::to_string_pretty(&table::json(&figures, size))?,
        false => table.clone(),
    };
    writeln!(std::io::stdout(), "{shown}")?;
    if let Some(path) = &asked.write {
        page::put(path, "agent", "bench_agent", &table)?;
    }
    Ok(())
}

/// Looks at the process until the control plane has all its reports.
async fn weigh(house: &House, agent: &Agent, asked: &Asked) -> anyhow::Result<Figures> {
    let store = Store::open(&house.database()).await?;
    let hour = (asked.beats / 24).max(1);
    let mut figures = Figures::default();
    let mut told = 0;
    while figures.beats < asked.beats {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let now = resident_mb(agent.id())?;
        let marks = store.report_marks().await?;
        let mark = marks.iter().find(|mark| mark.host.as_str() == agent::NAME);
        figures.beats = mark.map_or(0, |mark| mark.seq);
        figures.lost = mark.map_or(0, |mark| mark.lost + mark.refused);
        figures.most_mb = figures.most_mb.max(now);
        figures.end_mb = now;
        if figures.beats >= hour && figures.hour_mb == 0.0 {
            figures.hour_mb = now;
        }
        if figures.beats / hour > told {
            told = figures.beats / hour;
            writeln!(std::io::stderr(), "{} reports, {now:.2} MB", figures.beats)?;
        }
    }
    store.close().await;
    ensure!(figures.hour_mb > 0.0, "too few reports to say anything");
    Ok(figures)
}
