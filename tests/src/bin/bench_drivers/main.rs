//! Measures how fast each driver closes its gateway: from when the agent's hand calls the driver until every connection is
//! refused, those that were kept open and those that come anew; until a stream under way has ended; and until everything
//! is served again after a restore.
//!
//! All of it on one machine over loopback. The embedded gateway is the product's own, nginx is the program itself, APISIX is
//! pretended: its figures say what the driver adds to the lag its workers are given. LiteLLM is a second layer: the program
//! ends what runs and refuses nobody, since it has no database here; what it does with one is pretended.

mod litellm;
mod round;
mod table;

use clap::Parser;
use round::Round;
use site_tests::bench::page;
use site_tests::driven::{Kind, NGINX, Site};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use table::Gateway;
use tokio::runtime::{Builder, Runtime};

const HOW: &str = "\
For each driver p50, p99 and the longest, in milliseconds, of: every connection refused, the stream under way ended, the
driver's answer, and everything served again after the restore.

Release figures, for docs/benchmarks.md:
  cargo build --release -p site-tests --bin bench_drivers
  target/release/bench_drivers --rounds 300 --write docs/benchmarks.md

nginx and the real LiteLLM are left out where this machine has none. Streams end only for who has CAP_NET_ADMIN; else their
figures are left out.";

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
    /// The real LiteLLM; `tests/run` puts it there.
    #[arg(long, value_name = "FILE", default_value = ".venv/bin/litellm")]
    litellm: PathBuf,
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
        let rounds = measure(kind, asked.rounds, asked.connections)?;
        rows.push(Gateway::of(kind, &rounds));
    }
    let runtime = runtime()?;
    if asked.litellm.exists() {
        rows.push(runtime.block_on(litellm::real(&asked.litellm, asked.rounds))?);
    } else {
        writeln!(
            std::io::stderr(),
            "no {}: left out",
            asked.litellm.display()
        )?;
    }
    rows.push(runtime.block_on(litellm::pretended(asked.rounds))?);
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

fn runtime() -> std::io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

/// So many cuts and restores of one gateway.
fn measure(kind: Kind, rounds: u32, connections: usize) -> anyhow::Result<Vec<Round>> {
    runtime()?.block_on(async {
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
            let text = table::render("2 cuts", &[Gateway::of(kind, &rounds)]);
            assert!(!text.contains("NaN"), "{text}");
        }
    }

    #[test]
    fn the_second_layer_gives_figures_and_says_what_it_does_not_do() {
        let found = runtime().unwrap().block_on(litellm::pretended(2)).unwrap();
        let text = table::render("2 cuts", std::slice::from_ref(&found));
        assert!(text.contains("4 keys blocked and read back | ") && text.contains("up to 60 s"));
        let told = table::json(&[found]);
        assert!(
            told[0]["figures"][0]["p50_ms"].as_f64().unwrap() > 60.0,
            "{told}"
        );
        assert_eq!(told[0]["figures"][0]["rounds"], 2);
    }
}
