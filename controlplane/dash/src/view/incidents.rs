//! The last incidents: what was cut, by whom, why, with which proof, and how it ended.

use super::text::{When, counted, proof};
use askama::Template;
use kill_wire::IncidentRecord;
use net_model::Snapshot;

#[derive(Debug, Template)]
#[template(path = "parts/incidents.html")]
pub(crate) struct Incidents {
    pub(crate) readable: bool,
    pub(crate) rows: Vec<Row>,
}

/// One incident.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) number: String,
    /// The same, for its address.
    pub(crate) id: u32,
    pub(crate) scope: String,
    pub(crate) since: When,
    pub(crate) by: String,
    pub(crate) why: String,
    pub(crate) proof: String,
    pub(crate) still_open: String,
    pub(crate) streams: String,
    pub(crate) ended: Option<(When, String)>,
}

impl Incidents {
    pub(crate) fn of(snapshot: &Snapshot) -> Self {
        Self {
            readable: snapshot.killswitch.is_ok(),
            rows: snapshot.incidents.iter().map(row).collect(),
        }
    }
}

pub(crate) fn row(record: &IncidentRecord) -> Row {
    let open = record
        .proof
        .as_ref()
        .map(|proof| proof.still_open.join(", "));
    Row {
        number: record.incident.to_string(),
        id: record.incident.get(),
        scope: record.scope.to_string(),
        since: When::day(record.since),
        by: record.by.clone(),
        why: record.why.clone(),
        proof: record
            .proof
            .as_ref()
            .map_or_else(|| "no proof recorded".to_owned(), proof),
        still_open: open.unwrap_or_default(),
        streams: counted(record.streams.into(), "stream ended", "streams ended"),
        ended: record
            .ended
            .as_ref()
            .map(|end| (When::day(end.at), end.by.clone())),
    }
}
