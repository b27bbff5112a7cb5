//! Measures a control plane that a thousand hosts report to.
//!
//! `portcullis serve controlplane` runs as a process of its own. This program plays the hosts: each joins by a token, keeps one
//! connection with mutual TLS, and reports at its own moment of the ten seconds. What the process uses is read from the kernel,
//! so what this program does is not in it.

mod asked;
mod beats;
mod figures;
mod flood;
mod join;
mod pages;
mod table;

use anyhow::Context as _;
use asked::Asked;
use beats::Agents;
use figures::{Figures, Span};
use join::Member;
use site_tests::bench::clock::{mark, ms};
use site_tests::bench::controlplane::House;
use site_tests::bench::page;
use std::io::Write as _;
use std::time::Duration;

fn main() -> anyhow::Result<()> {
    let asked = Asked::read();
    // The hosts share the cores with what is measured: one thread, so that they cannot take both.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let figures = runtime.block_on(measure(&asked))?;
    let table = table::draw(&figures, &asked);
    let shown = match asked.json {
        true => serde_json::to_string_pretty(&table::json(&figures, &asked))?,
        false => table.clone(),
    };
    writeln!(std::io::stdout(), "{shown}")?;
    if let Some(path) = &asked.write {
        page::put(path, "hosts", "bench_hosts", &table)?;
    }
    Ok(())
}

fn tell(what: &str) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stderr(), "{what}")?)
}

async fn measure(asked: &Asked) -> anyhow::Result<Figures> {
    let house = House::start(&asked.bin()?)?;
    tell(&format!("{} hosts join", asked.hosts))?;
    let began = mark();
    let (members, red) = join::all(&house, asked.hosts).await?;
    let mut figures = Figures {
        join_s: ms(began, mark()) / 1000.0,
        ..Figures::default()
    };
    let agents = Agents::start(&house, members, asked.period());
    // The first report of each opens its connection.
    tokio::time::sleep(asked.period()).await;

    tell("they report")?;
    let quiet = Span::begin(&house)?;
    tokio::time::sleep(asked.span()).await;
    let quiet = quiet.end(&house)?;

    tell("their pages are looked at")?;
    let looked = pages::look(&house, asked);
    (figures.list, figures.one) = tokio::task::spawn_blocking(looked).await??;

    tell("one of them floods, every other while")?;
    let (calm, flooded) = flood(&house, red, asked, &mut figures).await?;

    figures.peak_mb = house.peak_mb()?;
    let beats = agents.stop().await.context("the simulated hosts")?;
    figures.cpu_percent = quiet.cpu_percent;
    figures.quiet = beats.within(&[quiet]);
    figures.calm = beats.within(&calm);
    figures.flooded = beats.within(&flooded);
    figures.missed = beats.missed;
    Ok(figures)
}

/// Whiles with and without a flood take turns, so that what else the machine does meets both.
async fn flood(
    house: &House,
    red: Member,
    asked: &Asked,
    figures: &mut Figures,
) -> anyhow::Result<(Vec<Span>, Vec<Span>)> {
    let turns = (asked.span().as_millis() / asked.period().as_millis()).max(2) / 2;
    let turns = u32::try_from(turns)?;
    let (mut calm, mut flooded) = (Vec::new(), Vec::new());
    for _ in 0..turns {
        let span = Span::begin(house)?;
        tokio::time::sleep(asked.period()).await;
        calm.push(span.end(house)?);
        let span = Span::begin(house)?;
        let (to, red) = (house.hosts, red.clone());
        let (requests, period) = (asked.hostile / turns, asked.period());
        // A thread of its own: what the flood costs its sender delays no simulated host.
        let flood = tokio::task::spawn_blocking(move || flood::play(to, &red, requests, period));
        figures.flood.add(flood.await??);
        flooded.push(span.end(house)?);
        // What it left behind belongs to neither.
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Ok((calm, flooded))
}
