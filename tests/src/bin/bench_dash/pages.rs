//! Every page, asked for again and again by somebody who is signed in: how long until its last byte, and how much it weighs.

use crate::asked::Asked;
use crate::ledger::{self, CONSUMERS, mixed};
use anyhow::Context as _;
use regex::Regex;
use site_tests::bench::browser::Browser;
use site_tests::bench::clock::{mark, ms};
use std::collections::{BTreeMap, BTreeSet};

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A page, with style sheet, scripts and icon.
    Page,
    /// A file, or what a program asks for.
    Data,
}

/// One address, or several of the same kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// As the table names it.
    pub(crate) title: &'static str,
    pub(crate) kind: Kind,
    /// The n-th address of it.
    pub(crate) path: fn(&Asked, u64) -> String,
}

const fn page(title: &'static str, path: fn(&Asked, u64) -> String) -> Place {
    let kind = Kind::Page;
    Place { title, kind, path }
}

const fn data(title: &'static str, path: fn(&Asked, u64) -> String) -> Place {
    let kind = Kind::Data;
    Place { title, kind, path }
}

fn host(asked: &Asked, n: u64) -> u64 {
    mixed(n) % u64::from(asked.hosts)
}

fn incident(asked: &Asked, n: u64) -> u64 {
    mixed(n) % u64::from(asked.incidents) + 1
}

/// An exchange of the last days, of which it may be told why.
fn request(asked: &Asked, n: u64) -> String {
    ledger::id(asked.usage - 1 - mixed(n) % (asked.usage / 50).max(1))
}

/// Every page there is, with what makes it slow: filters, far pages, long spans.
pub(crate) const PLACES: &[Place] = &[
    page("overview", |_, _| "/".to_owned()),
    page("stop", |_, _| "/stop".to_owned()),
    page("hosts, a hundred at a time", |asked, n| {
        format!("/hosts?page={}", n % u64::from(asked.hosts.div_ceil(100)))
    }),
    page("hosts, part of a name", |_, n| {
        format!("/hosts?q={}", n % 100)
    }),
    page("hosts that are silent", |_, _| {
        "/hosts?health=silent".to_owned()
    }),
    page("a host", |asked, n| {
        format!("/hosts/host{}", host(asked, n))
    }),
    page("a host, 30 days", |asked, n| {
        format!("/hosts/host{}?span=30d", host(asked, n))
    }),
    page("alerts", |_, _| "/alerts".to_owned()),
    page("jobs", |_, _| "/jobs".to_owned()),
    page("mesh", |_, _| "/mesh".to_owned()),
    page("targets", |_, _| "/targets".to_owned()),
    page("spend by consumer, 7 days", |_, _| "/spend".to_owned()),
    page("spend by model, a year", |_, _| {
        "/spend?by=model&span=365d".to_owned()
    }),
    page("spend by consumer, a year", |_, _| {
        "/spend?by=consumer&span=365d".to_owned()
    }),
    page("spend by day, a year", |_, _| {
        "/spend?by=day&span=365d".to_owned()
    }),
    page("consumers", |_, _| "/consumers".to_owned()),
    page("a consumer", |_, n| {
        format!("/consumers/agent{}", n % CONSUMERS)
    }),
    page("incidents", |_, _| "/incidents".to_owned()),
    page("incidents, further back", |asked, n| {
        format!("/incidents?before={}", incident(asked, n))
    }),
    page("an incident", |asked, n| {
        format!("/incidents/{}", incident(asked, n))
    }),
    page("journal", |_, _| "/journal".to_owned()),
    page("journal, further back", |asked, n| {
        format!("/journal?before={}", incident(asked, n) * 3)
    }),
    page("explain", |_, _| "/explain".to_owned()),
    page("a request explained", |asked, n| {
        format!("/explain/{}", request(asked, n))
    }),
    page("people", |_, _| "/people".to_owned()),
    page("channels", |_, _| "/channels".to_owned()),
    page("settings", |_, _| "/settings".to_owned()),
    page("tokens", |_, _| "/tokens".to_owned()),
    page("sessions", |_, _| "/sessions".to_owned()),
    page("account", |_, _| "/account".to_owned()),
    page("changes", |_, _| "/journal/changes".to_owned()),
    data("spend as CSV, a year", |_, _| {
        "/spend.csv?by=consumer&span=365d".to_owned()
    }),
    data("API: state", |_, _| "/api/v1/state".to_owned()),
    data("API: usage", |_, _| "/api/v1/usage".to_owned()),
    data("API: hosts", |_, _| "/api/v1/hosts".to_owned()),
    data("API: alerts", |_, _| "/api/v1/alerts".to_owned()),
    data("API: incidents", |asked, n| {
        format!("/api/v1/incidents?limit=50&after={}", incident(asked, n))
    }),
];

/// What was found of one place.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) place: Place,
    /// Milliseconds until the last byte, each time.
    pub(crate) took: Vec<f64>,
    /// Bytes of the heaviest answer.
    pub(crate) bytes: usize,
    /// Bytes of what it brings along for a browser that was never here.
    pub(crate) assets: usize,
    /// Milliseconds until a browser shows something, each time; empty where none looked.
    pub(crate) paint: Vec<f64>,
}

/// Asks for each place so many times, in turns, so that what else the machine does meets all of them.
pub(crate) fn look(browser: &mut Browser, asked: &Asked) -> anyhow::Result<Vec<Found>> {
    let links = Regex::new("\"(/assets/[^\"]+)\"")?;
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    let mut found: Vec<Found> = PLACES
        .iter()
        .map(|place| Found {
            place: *place,
            took: Vec::new(),
            bytes: 0,
            assets: 0,
            paint: Vec::new(),
        })
        .collect();
    for round in 0..u64::from(asked.rounds) {
        for it in &mut found {
            let path = (it.place.path)(asked, round);
            let began = mark();
            let answer = browser.get(&path)?;
            it.took.push(ms(began, mark()));
            it.bytes = it.bytes.max(answer.body.len());
            if round == 0 && it.place.kind == Kind::Page {
                let text = answer.text();
                let wanted = links.captures_iter(&text);
                let wanted: BTreeSet<String> = wanted.map(|it| it[1].to_owned()).collect();
                for path in wanted {
                    it.assets += weight(browser, &mut known, path)?;
                }
            }
        }
    }
    Ok(found)
}

/// Bytes of an asset, asked for once.
fn weight(
    browser: &mut Browser,
    known: &mut BTreeMap<String, usize>,
    path: String,
) -> anyhow::Result<usize> {
    if let Some(bytes) = known.get(&path) {
        return Ok(*bytes);
    }
    let answer = browser.get(&path).context("an asset")?;
    let bytes = answer.body.len();
    known.insert(path, bytes);
    Ok(bytes)
}
