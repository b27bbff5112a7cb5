//! A signed-in person looks at the hosts: one kept connection, one page after the other.

use crate::asked::Asked;
use crate::join::name;
use anyhow::ensure;
use site_tests::bench::browser::Browser;
use site_tests::bench::clock::{mark, ms};
use site_tests::bench::controlplane::House;
use std::time::Duration;

/// Between two pages: reports come in meanwhile.
const PAUSE: Duration = Duration::from_millis(50);
/// Hosts on one page of the list.
const ON_A_PAGE: u32 = 100;

/// Milliseconds that the pages of the list took, and those of single hosts.
type Looked = (Vec<f64>, Vec<f64>);

/// Will sign in and look at as many pages as is asked for; blocks.
pub(crate) fn look(
    house: &House,
    asked: &Asked,
) -> impl FnOnce() -> anyhow::Result<Looked> + use<> {
    let (at, token) = (house.dash, house.sign_in_token());
    let (hosts, pages) = (asked.hosts, asked.pages);
    move || {
        let mut browser = Browser::open(at)?;
        browser.sign_in(&token?)?;
        let list = |n| format!("/hosts?page={}", n % hosts.div_ceil(ON_A_PAGE));
        let one = |n| format!("/hosts/{}", name(n * 37 % hosts));
        let list = fetch(&mut browser, pages, "id=\"hosts-title\"", list)?;
        Ok((list, fetch(&mut browser, pages, "container5", one)?))
    }
}

/// Fetches so many; each must hold `word`.
fn fetch(
    browser: &mut Browser,
    count: u32,
    word: &str,
    path: impl Fn(u32) -> String,
) -> anyhow::Result<Vec<f64>> {
    let mut took = Vec::new();
    for n in 0..count {
        let path = path(n);
        let began = mark();
        let page = browser.get(&path)?;
        took.push(ms(began, mark()));
        ensure!(page.text().contains(word), "{path} holds no {word}");
        std::thread::sleep(PAUSE);
    }
    Ok(took)
}
