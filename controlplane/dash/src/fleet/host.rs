//! One host: what it claims beside what was seen, how it did, what is wrong with it.

use super::hosts::{Row, percent, row};
use super::said::said;
use super::spark::{HEIGHT, Kind, Spark, WIDTH, draw};
use super::stretch::{Back, POINTS, Stretch};
use crate::frame::Frame;
use crate::site::Site;
use crate::view::When;
use askama::Template;
use inventory::Pair;
use kill_wire::Timestamp;
use net_model::report::Facts;
use net_model::{AlertView, HostName, HostSample, Zone};
use std::collections::BTreeMap;
use store::{HostLine, StoreError};

/// Alerts of one host that are shown.
const ALERTS: u32 = 30;
/// Hosts whose probes are looked through.
const OTHERS: u32 = 200;

/// Everything that is known of one host.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) line: HostLine,
    pub(super) facts: Option<Facts>,
    pub(super) history: Vec<HostSample>,
    pub(super) alerts: Vec<AlertView>,
    others: BTreeMap<HostName, Facts>,
    pub(super) stretch: Stretch,
}

impl Read {
    /// What it claims beside what was seen of it.
    pub(super) fn pairs(&self, zones: &[Zone]) -> Vec<Pair> {
        let (Some(latest), Some(facts)) = (&self.line.latest, &self.facts) else {
            return Vec::new();
        };
        let zone = zones.iter().find(|zone| zone.name == self.line.zone);
        inventory::pairs(latest, facts, zone, &self.others)
    }
}

pub(super) async fn read(
    site: &Site,
    name: &HostName,
    back: &Back,
) -> Result<Option<Read>, StoreError> {
    let store = &site.app.store;
    let Some((line, facts)) = store.host_line(name).await? else {
        return Ok(None);
    };
    let stretch = back.stretch(site.now());
    let (from, to) = (stretch.from, stretch.to);
    let between = Timestamp::from_millis(from)..=Timestamp::from_millis(to);
    let others = store.facts_that_reach(OTHERS).await?.into_iter();
    Ok(Some(Read {
        // Written by an older or a newer version: then it is not known until the next report.
        facts: facts.and_then(|text| serde_json::from_str(&text).ok()),
        history: store
            .host_history_between(name, stretch.step, between, POINTS)
            .await?,
        alerts: store.alerts(Some(name), None, ALERTS).await?,
        others: others
            .filter_map(|(host, text)| Some((host, serde_json::from_str(&text).ok()?)))
            .collect(),
        stretch,
        line,
    }))
}

#[derive(Debug, Template)]
#[template(path = "fleet/host.html")]
pub(crate) struct Host {
    frame: Frame,
    heading: String,
    row: Row,
    certificate_ends: Option<When>,
    pairs: Vec<Pair>,
    sparks: Vec<Spark>,
    /// The stretch in words.
    span: String,
    stretch: Stretch,
    /// Where it begins and ends.
    ends: (When, When),
    /// Ways to other stretches.
    ways: Vec<(&'static str, String)>,
    width: u64,
    height: i64,
    alerts: Vec<super::lists::AlertRow>,
    facts: Vec<(&'static str, Vec<String>)>,
}

const KINDS: [Kind; 8] = [
    Kind {
        title: "Processor",
        of: |gauges| gauges.cpu_ppm,
        scale: 1_000_000,
        say: |ppm| percent(Some(ppm)),
    },
    Kind {
        title: "Memory",
        of: |gauges| gauges.memory_ppm,
        scale: 1_000_000,
        say: |ppm| percent(Some(ppm)),
    },
    Kind {
        title: "Fullest disk",
        of: |gauges| gauges.disk_ppm,
        scale: 1_000_000,
        say: |ppm| percent(Some(ppm)),
    },
    Kind {
        title: "Temperature",
        of: |gauges| gauges.temp_mc,
        scale: 100_000,
        say: |mc| format!("{} °C", mc / 1000),
    },
    Kind {
        title: "Graphics",
        of: |gauges| gauges.gpu_ppm,
        scale: 1_000_000,
        say: |ppm| percent(Some(ppm)),
    },
    Kind {
        title: "Graphics memory",
        of: |gauges| gauges.vram_ppm,
        scale: 1_000_000,
        say: |ppm| percent(Some(ppm)),
    },
    Kind {
        title: "Received",
        of: |gauges| gauges.rx_bps,
        scale: 100_000,
        say: |bytes| format!("{} kB/s", bytes / 1000),
    },
    Kind {
        title: "Sent",
        of: |gauges| gauges.tx_bps,
        scale: 100_000,
        say: |bytes| format!("{} kB/s", bytes / 1000),
    },
];

pub(super) fn page(frame: Frame, read: &Read, zones: &[Zone], now: Timestamp) -> Host {
    let stretch = read.stretch;
    let (from, to) = (stretch.from, stretch.to);
    let draw = |kind: &Kind| draw(kind, &read.history, (from, to), stretch.step.millis());
    Host {
        frame,
        heading: read.line.name.to_string(),
        row: row(&read.line, now),
        certificate_ends: read.line.certificate_ends.map(When::day),
        pairs: read.pairs(zones),
        sparks: KINDS.iter().filter_map(draw).collect(),
        span: words(&stretch),
        stretch,
        ends: (
            When::day(Timestamp::from_millis(from)),
            When::day(Timestamp::from_millis(to)),
        ),
        ways: stretch.ways(now),
        width: WIDTH,
        height: HEIGHT,
        alerts: read.alerts.iter().map(super::lists::alert).collect(),
        facts: read.facts.as_ref().map(said).unwrap_or_default(),
    }
}

/// `2h`, or `90 min` of some other time.
fn words(stretch: &Stretch) -> String {
    let minutes = (stretch.to - stretch.from) / 60_000;
    match (stretch.word, minutes) {
        (Some(word), _) => word.to_owned(),
        (None, 0..=180) => format!("{minutes} min"),
        (None, 181..=4_320) => format!("{} h", minutes / 60),
        (None, _) => format!("{} days", minutes / 1_440),
    }
}
