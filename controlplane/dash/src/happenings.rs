//! What happens in the house, as a stream of events for programs: cuts and restores, what the gateway noticed, alerts.
//!
//! Each event has an id out of its instant and what it is about, so that a program that was away goes on where it stopped
//! (`Last-Event-ID`), through restarts of the house as well. Whoever sees an id twice has seen one event.

use crate::answer::problem;
use crate::caller::Caller;
use crate::listening::{self, Full, Line, Teller};
use crate::site::Site;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::response::sse::Event;
use kill_wire::Timestamp;
use net_model::{AlertView, KeyHash, Snapshot};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// Alerts that are looked at, the newest.
const ALERTS: u32 = 200;
/// Longest id of an event.
const LONGEST_ID: usize = 80;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
struct Happening {
    /// In the order of time.
    id: String,
    kind: &'static str,
    data: Value,
}

fn id_of(at: Timestamp, about: &str) -> String {
    format!("{:013}-{about}", at.millis())
}

/// Where to go on: behind this id. The header is what a browser's `EventSource` sends by itself.
#[derive(Debug, Deserialize)]
pub(crate) struct Since {
    after: Option<String>,
}

pub(crate) async fn listen(
    caller: Caller,
    State(site): State<Arc<Site>>,
    Query(since): Query<Since>,
    headers: HeaderMap,
) -> Response {
    let last = headers.get("last-event-id");
    let last = last.and_then(|id| id.to_str().ok()).map(ToOwned::to_owned);
    let after = match last.or(since.after) {
        None => id_of(site.now(), ""),
        Some(id) if is_id(&id) => id,
        Some(_) => {
            let text = "`after` or `Last-Event-ID`: expected the id of an event of this stream";
            return problem(StatusCode::BAD_REQUEST, "bad_request", text);
        }
    };
    let program = Program {
        after,
        sent: BTreeSet::new(),
    };
    listening::listen(site, caller, program).unwrap_or_else(|Full| {
        let text = "too many listen already; end one";
        problem(StatusCode::SERVICE_UNAVAILABLE, "busy", text)
    })
}

fn is_id(text: &str) -> bool {
    let fine = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let millis = text.split('-').next().unwrap_or_default();
    text.len() <= LONGEST_ID
        && text.chars().all(fine)
        && millis.len() == 13
        && millis.bytes().all(|byte| byte.is_ascii_digit())
}

/// Everything of which something is known still, in the order of time.
fn happened(snapshot: &Snapshot, alerts: &[AlertView]) -> Vec<Happening> {
    let mut all = Vec::new();
    for incident in &snapshot.incidents {
        let number = incident.incident.get();
        let data = json!(incident);
        all.push(Happening {
            id: id_of(incident.since, &format!("incident-{number}-cut")),
            kind: "cut",
            data: data.clone(),
        });
        if let Some(end) = &incident.ended {
            let id = id_of(end.at, &format!("incident-{number}-restored"));
            let kind = "restored";
            all.push(Happening { id, kind, data });
        }
    }
    for remark in &snapshot.remarks {
        let hash = KeyHash::of(remark.text.as_bytes()).to_hex();
        let short: String = hash.chars().take(12).collect();
        let kind = "remark";
        all.push(Happening {
            id: id_of(remark.at, &format!("remark-{short}")),
            kind,
            data: json!(remark),
        });
    }
    for alert in alerts {
        let data = json!(alert);
        all.push(Happening {
            id: id_of(alert.since, &format!("alert-{}-fires", alert.id)),
            kind: "alert",
            data: data.clone(),
        });
        if let Some(end) = alert.ended {
            let id = id_of(end, &format!("alert-{}-over", alert.id));
            let kind = "alert_over";
            all.push(Happening { id, kind, data });
        }
    }
    all.sort_by(|a, b| a.id.cmp(&b.id));
    all
}

/// One program that listens.
struct Program {
    after: String,
    /// What was sent of what is still known.
    sent: BTreeSet<String>,
}

impl Teller for Program {
    const BEAT: Option<Duration> = None;
    const HELLO: Option<&'static str> = Some("listening");

    async fn look(&mut self, line: &mut Line, snapshot: Arc<Snapshot>) {
        // A database that does not answer keeps no cut from being told.
        let alerts = line.site.app.store.alerts(None, None, ALERTS).await;
        let known = happened(&snapshot, &alerts.unwrap_or_default());
        for it in &known {
            if it.id > self.after && self.sent.insert(it.id.clone()) {
                let event = Event::default().id(&it.id).event(it.kind);
                line.send(event.data(it.data.to_string()));
            }
        }
    }

    async fn beat(&mut self, _line: &mut Line) {}

    async fn now_and_then(&mut self, _line: &mut Line) {}

    /// The stream simply ends; whoever calls again is told why.
    fn farewell(&self, _line: &mut Line) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_id_of_this_stream_is_one() {
        let good = id_of(Timestamp::from_millis(1_763_000_000_000), "incident-7-cut");
        assert!(is_id(&good), "{good}");
        assert!(is_id(&id_of(Timestamp::from_millis(5), "")));
        for bad in [
            "",
            "7",
            "1763000000000_x",
            "x763000000000-a",
            "17630000000000-a",
        ] {
            assert!(!is_id(bad), "{bad}");
        }
    }
}
