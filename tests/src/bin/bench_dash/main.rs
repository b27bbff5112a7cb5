//! Measures the pages of a house that has run for a year.
//!
//! The house is filled through the control plane's own store and the kill switch's own form of a journal, and then runs whole, as
//! `portcullis serve`, in a process of its own. This program is somebody signed in, over one kept connection on loopback.

mod asked;
mod fleet;
mod house;
mod journal;
mod ledger;
mod pages;
mod paint;
mod table;

use asked::Asked;
use house::House;
use site_tests::bench::browser::Browser;
use site_tests::bench::clock::{mark, ms};
use site_tests::bench::page;
use std::io::Write as _;

fn main() -> anyhow::Result<()> {
    let asked = Asked::read();
    let began = mark();
    tell("the house is filled")?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let house = runtime.block_on(House::start(&asked))?;
    let took = ms(began, mark()) / 1000.0;
    tell(&format!(
        "filled and started within {took:.0} s; its pages are looked at"
    ))?;
    let mut browser = Browser::open(house.dash)?;
    browser.sign_in(&house.sign_in_token()?)?;
    let mut found = pages::look(&mut browser, &asked)?;
    if asked.paint {
        tell("a browser shows them")?;
        paint::look(&house, browser.cookie(), &asked, &mut found)?;
    }
    let peak_mb = house.peak_mb()?;
    let table = table::draw(&found, peak_mb, &asked);
    let shown = match asked.json {
        true => serde_json::to_string_pretty(&table::json(&found, peak_mb, &asked))?,
        false => table.clone(),
    };
    writeln!(std::io::stdout(), "{shown}")?;
    if let Some(path) = &asked.write {
        page::put(path, "pages", "bench_dash", &table)?;
    }
    Ok(())
}

fn tell(what: &str) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stderr(), "{what}")?)
}
