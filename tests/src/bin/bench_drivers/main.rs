//! Measures how fast each driver closes its gateway: from when the agent's hand calls the driver until every connection is
//! refused, those that were kept open and those that come anew; until a stream under way has ended; and until everything
//! is served again after a restore.
//!
//! All of it on one machine over loopback. The embedded gateway is the product's own, nginx is the program itself, APISIX is
//! pretended: its figures say what the driver adds to the lag its workers are given.

mod round;
mod table;

use clap::Parser;
use round::Round;
use site_tests::bench::page;
use site_tests::driven::{Kind, NGINX, Site};
use std::io::Write as _;
use std::path::{Path, PathBuf};

const HOW: &str = "\
For each driver p50, p99 and the longest, in milliseconds, of: every connection refused, the stream under way ended, the
driver's answer, and everything served again after the restore.

Release figures, for docs/benchmarks.md:
  cargo build --release -p site-tests --bin bench_drivers
  target/release/bench_drivers --rounds 300 --write docs/benchmarks.md

nginx is left out where this machine has none. Streams end only for who has CAP_NET_ADMIN; else their figures are left out.
LiteLLM is not measured: it refuses nobody at once, and is a second layer behind one that does.";

/// Measures how fast each driver closes its gateway.
#[derive(Debug, Parser)]
#[command(after_help = HOW, max_term_width = 120)]
struct Asked {
    /// Cuts of each gateway.
    #[arg(long, default_value_t = 100)]
    rounds: u32,
    /// Connections that are kept open, half of each consumer.
    #[arg(long, default_value_t = 8)]
    connections: usize,
    /// Prints the figures as JSON.
    #[arg(long)]
    json: bool,
    /// Puts the table into this page, between its marks.
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let asked = Asked::parse();
    let load = page::load();
    let mut rows = Vec::new();
    for kind in [Kind::Embedded, Kind::Nginx, Kind::Apisix] {
        if kind == Kind::Nginx && !Path::new(NGINX).exists() {
            writeln!(std::io::stderr(), "no {NGINX}: left out")?;
            continue;
        }
        rows.push((kind, measure(kind, asked.rounds, asked.connections)?));
    }
    let table = table::render(&asked.head(&load), &rows);
    if let Some(file) = &asked.write {
        page::put(file, "drivers", "bench_drivers", &table)?;
    }
    let said = if asked.json {
        table::json(&rows).to_string()
    } else {
        table
    };
    writeln!(std::io::stdout(), "{said}")?;
    Ok(())
}

impl Asked {
    fn head(&self, load: &str) -> String {
        format!(
            "{} cuts of ALL at each gateway, {} kept connections and one stream under way, {}; load average before: {load}.",
            self.rounds,
            self.connections,
            page::machine()
        )
    }
}

/// So many cuts and restores of one gateway.
fn measure(kind: Kind, rounds: u32, connections: usize) -> anyhow::Result<Vec<Round>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let site = Site::start(kind).await?;
        let mut all = Vec::new();
        for at in 0..rounds {
            all.push(round::play(&site, u64::from(at), connections).await?);
        }
        Ok(all)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_cuts_of_each_gateway_give_figures_in_their_order() {
        for kind in [Kind::Embedded, Kind::Nginx, Kind::Apisix] {
            if kind == Kind::Nginx && !Path::new(NGINX).exists() {
                eprintln!("SKIPPED: no {NGINX}");
                continue;
            }
            let rounds = measure(kind, 2, 4).unwrap();
            assert_eq!(rounds.len(), 2);
            for round in &rounds {
                assert!(round.refused > 0.0 && round.told > 0.0 && round.restored > 0.0);
            }
            let text = table::render("2 cuts", &[(kind, rounds)]);
            assert!(!text.contains("NaN"), "{text}");
        }
    }
}
