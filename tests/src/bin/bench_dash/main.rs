//! Measures the dashboard over a full database: a thousand hosts, a million calls.
//!
//! `portcullis serve controlplane` runs as a process of its own; this program fills its database with the store's own functions,
//! signs in by a link and looks at every page in turn, over one kept connection.

mod asked;
mod fill;
mod table;

use asked::Asked;
use site_tests::bench::browser::Browser;
use site_tests::bench::controlplane::House;
use site_tests::bench::page;
use std::io::Write as _;

/// What was measured of one page.
#[derive(Debug, Default)]
pub(crate) struct Looked {
    pub(crate) path: String,
    pub(crate) ms: Vec<f64>,
    /// The largest answer, in bytes.
    pub(crate) weight: usize,
}

/// Pages that are looked at: those there are, by what the house is.
const PAGES: [&str; 9] = [
    "/",
    "/hosts",
    "/hosts?page=5",
    "/hosts?role=inference&health=good",
    "/hosts/host-0007",
    "/alerts",
    "/jobs",
    "/channels",
    "/settings",
];
/// Pages and answers that read what consumers used.
const MORE: [&str; 4] = ["/consumers", "/consumers/agent", "/people", "/api/v1/hosts"];

fn main() -> anyhow::Result<()> {
    let asked = Asked::read();
    let house = House::start(&asked.bin()?)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let filled = runtime.block_on(fill::fill(&house, &asked))?;
    let mut browser = Browser::open(house.dash)?;
    browser.sign_in(&house.sign_in_token()?)?;
    let mut all = Vec::new();
    for path in PAGES.into_iter().chain(MORE) {
        let mut looked = Looked {
            path: path.to_owned(),
            ..Looked::default()
        };
        for _ in 0..asked.rounds {
            let (ms, text) = browser.get(path)?;
            looked.ms.push(ms);
            looked.weight = looked.weight.max(text.len());
        }
        all.push(looked);
    }
    let drawn = table::draw(&all, &filled, &asked, house.peak_mb()?);
    writeln!(std::io::stdout(), "{drawn}")?;
    if let Some(path) = &asked.write {
        page::put(path, "pages", "bench_dash", &drawn)?;
    }
    Ok(())
}
