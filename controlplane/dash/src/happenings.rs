//! What happens in the house, as a stream of events for programs: cuts and restores, what the gateway noticed, alerts.
//!
//! Each event has an id out of its instant and what it is about, so that a program that was away goes on where it stopped
//! (`Last-Event-ID`), through restarts of the house as well. Whoever sees an id twice has seen one event.

use crate::answer::problem;
use crate::caller::Caller;
use crate::site::Site;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{Stream, unfold};
use kill_wire::Timestamp;
use net_model::{AlertView, KeyHash, Snapshot};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeSet, VecDeque};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Interval, MissedTickBehavior};

/// How often it is looked up whether a listener may go on.
const RECHECK: Duration = Duration::from_secs(10);
/// Silence after which a comment is sent.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
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
    let Ok(place) = Arc::clone(&site.listeners).try_acquire_owned() else {
        let text = "too many listen already; end one";
        return problem(StatusCode::SERVICE_UNAVAILABLE, "busy", text);
    };
    Sse::new(events(site, caller, after, place))
        .keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
        .into_response()
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

/// One listening program.
struct Listener {
    site: Arc<Site>,
    caller: Caller,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    recheck: Interval,
    after: String,
    /// What was sent of what is still known.
    sent: BTreeSet<String>,
    waiting: VecDeque<Event>,
    _place: OwnedSemaphorePermit,
}

fn events(
    site: Arc<Site>,
    caller: Caller,
    after: String,
    place: OwnedSemaphorePermit,
) -> impl Stream<Item = Result<Event, Infallible>> {
    let mut snapshots = site.app.snapshots.clone();
    snapshots.mark_changed();
    let mut recheck = tokio::time::interval(RECHECK);
    recheck.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // Something at once, so that a program knows that it is heard.
    let hello = Event::default().comment("listening");
    let listener = Listener {
        site,
        caller,
        snapshots,
        recheck,
        after,
        sent: BTreeSet::new(),
        waiting: VecDeque::from([hello]),
        _place: place,
    };
    unfold(listener, |mut listener| async move {
        let event = listener.next().await?;
        Some((Ok(event), listener))
    })
}

impl Listener {
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some(event);
            }
            tokio::select! {
                changed = self.snapshots.changed() => match changed {
                    Ok(()) => self.look().await,
                    // The control plane stops; the program calls again with the last id it saw.
                    Err(_) => return None,
                },
                _ = self.recheck.tick() => if !self.caller.may_go_on(&self.site).await {
                    return None;
                },
            }
        }
    }

    async fn look(&mut self) {
        let snapshot = Arc::clone(&self.snapshots.borrow_and_update());
        // A database that does not answer keeps no cut from being told.
        let alerts = self.site.app.store.alerts(None, None, ALERTS).await;
        let known = happened(&snapshot, &alerts.unwrap_or_default());
        for it in &known {
            if it.id > self.after && self.sent.insert(it.id.clone()) {
                let event = Event::default().id(&it.id).event(it.kind);
                self.waiting.push_back(event.data(it.data.to_string()));
            }
        }
    }
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
