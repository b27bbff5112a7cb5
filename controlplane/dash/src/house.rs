//! The hosts as the map shows them. Read at most every few seconds, however many pages follow along; when the database does
//! not answer, what was known last is shown and said to be old.

mod gateways;

pub(crate) use gateways::{GatewayDot, Hold, Lead};

use crate::fleet::SILENT_MS;
use crate::fleet::driven::elsewhere;
use crate::site::Site;
use crate::view::BY_NAME;
use kill_wire::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use store::{HostLine, HostState, StoreError};
use tokio::sync::Mutex;

/// How long what was read counts as new, in milliseconds.
const FRESH_MS: u64 = 5_000;

/// How long the database may take; the map waits no longer.
const LIMIT: Duration = Duration::from_millis(500);

/// Every zone with its hosts, and the gateways that hosts drive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct HouseHosts {
    pub(crate) zones: Vec<ZoneDots>,
    /// Gateways that are not ours.
    pub(crate) gateways: Vec<GatewayDot>,
    /// How many more there are.
    pub(crate) more_gateways: usize,
    /// Why this may be old.
    pub(crate) problem: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ZoneDots {
    pub(crate) name: String,
    pub(crate) joined: u64,
    pub(crate) heard: u64,
    /// By name; none where the house has too many for that.
    pub(crate) hosts: Option<Vec<HostDot>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HostDot {
    pub(crate) name: String,
    pub(crate) tone: &'static str,
}

/// What was read last, and when.
#[derive(Debug, Default)]
pub(crate) struct LastRead(Mutex<Option<(Timestamp, Arc<HouseHosts>)>>);

impl Site {
    /// The hosts now, or as they were known last.
    pub(crate) async fn house(&self) -> Arc<HouseHosts> {
        let mut last = self.house.0.lock().await;
        let now = self.now();
        if let Some((at, house)) = last.as_ref()
            && *at <= now
            && now.since(*at) < FRESH_MS
        {
            return Arc::clone(house);
        }
        let read = tokio::time::timeout(LIMIT, self.read_house(now)).await;
        let house = match read {
            Ok(Ok(house)) => Arc::new(house),
            Ok(Err(_)) | Err(_) => {
                let mut old = last
                    .as_ref()
                    .map(|(_, house)| HouseHosts::clone(house))
                    .unwrap_or_default();
                old.problem = Some(
                    "The database does not answer: hosts are as they were known last.".to_owned(),
                );
                Arc::new(old)
            }
        };
        *last = Some((now, Arc::clone(&house)));
        house
    }

    async fn read_house(&self, now: Timestamp) -> Result<HouseHosts, StoreError> {
        let since = Timestamp::from_millis(now.millis().saturating_sub(SILENT_MS));
        let store = &self.app.store;
        let counts = store.zone_counts(since).await?;
        let most = u32::try_from(BY_NAME).unwrap_or(u32::MAX);
        let lines = store
            .host_lines(&store::HostQuery::default(), 0, most.saturating_add(1))
            .await?;
        let few = lines.len() <= BY_NAME;
        let (gateways, more_gateways) = gateways::dots(elsewhere(self).await?, now);
        let configured = self.app.inventory.zones();
        let empty = configured
            .iter()
            .filter(|zone| counts.iter().all(|count| count.zone != zone.name))
            .map(|zone| ZoneDots {
                name: zone.name.to_string(),
                joined: 0,
                heard: 0,
                hosts: Some(Vec::new()),
            });
        let zones = counts.iter().map(|count| ZoneDots {
            name: count.zone.to_string(),
            joined: count.joined,
            heard: count.heard,
            hosts: few.then(|| {
                let of = lines.iter().filter(|line| line.zone == count.zone);
                of.map(|line| dot(line, now)).collect()
            }),
        });
        Ok(HouseHosts {
            zones: zones.chain(empty).collect(),
            gateways,
            more_gateways,
            problem: None,
        })
    }
}

fn dot(line: &HostLine, now: Timestamp) -> HostDot {
    let heard = line.latest.as_ref().map(|latest| now.since(latest.seen.at));
    let tone = match (line.state, heard) {
        (HostState::Revoked, _) => "bad",
        (HostState::Invited, _) => "warn",
        (HostState::Joined, Some(ago)) if ago <= SILENT_MS && line.alerts == 0 => "good",
        (HostState::Joined, Some(ago)) if ago <= SILENT_MS => "warn",
        (HostState::Joined, _) => "bad",
    };
    HostDot {
        name: line.name.to_string(),
        tone,
    }
}
