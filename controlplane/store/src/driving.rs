//! Hosts that say that they drive gateways which are not ours.

use crate::columns::to_time;
use crate::error::{StoreError, Tried};
use crate::open::Store;
use kill_wire::Timestamp;
use net_model::{HostName, ZoneName};
use std::net::IpAddr;

/// How facts as JSON begin to say so; an empty list is not written. Within a text of a host the quotes would be escaped.
pub(crate) const SAYS: &str = "\"driven\":[";

/// A host that drives gateways, with the newest it said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Driving {
    /// Its name.
    pub host: HostName,
    /// Where it stands; none while it is no host of the house any more.
    pub zone: Option<ZoneName>,
    /// Where it was heard from.
    pub address: IpAddr,
    /// When.
    pub at: Timestamp,
    /// Its facts, as JSON.
    pub facts: String,
}

impl Store {
    /// Hosts that drive gateways, by name; at most `limit`.
    pub async fn hosts_that_drive(&self, limit: u32) -> Result<Vec<Driving>, StoreError> {
        let rows: Vec<(String, Option<String>, String, i64, String)> = sqlx::query_as(
            "select l.host, h.zone, l.address, l.at, l.facts from host_latest l left join hosts h on h.name = l.host
             where l.drives = 1 order by l.host limit $1",
        )
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await
        .tried("read which hosts drive gateways")?;
        rows.into_iter()
            .map(|(host, zone, address, at, facts)| {
                let zone = zone.map(|zone| zone.parse()).transpose();
                Ok(Driving {
                    host: host.parse().map_err(|_| StoreError::Row("host name"))?,
                    zone: zone.map_err(|_| StoreError::Row("zone name"))?,
                    address: address.parse().map_err(|_| StoreError::Row("address"))?,
                    at: to_time(at),
                    facts,
                })
            })
            .collect()
    }
}
