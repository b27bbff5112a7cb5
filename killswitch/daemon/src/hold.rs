//! Opens the held streams, and opens them again when they end: what a cut has ended is open again after its restore.

use crate::dial;
use crate::held::{SILENT, Way, chosen};
use crate::switch::Switch;
use crate::vantage::Vantage;
use http::{HeaderValue, StatusCode};
use http_body_util::BodyExt as _;
use kill_wire::{HOLD_HEADER, Incident};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// Between two looks at which ways there are.
const LOOK: Duration = Duration::from_secs(1);
/// Between two tries at a stream; doubles up to [`SELDOM`].
const SOON: Duration = Duration::from_millis(500);
const SELDOM: Duration = Duration::from_secs(10);
/// Until an opened stream must answer.
const OPENS: Duration = Duration::from_secs(4);
/// Of an end, this much is read to find its incident, in bytes.
const LAST_WORDS: usize = 4 * 1024;

/// Holds a stream on every chosen way until shutdown.
pub(crate) async fn all(switch: Arc<Switch>) {
    let mut running: BTreeMap<Way, CancellationToken> = BTreeMap::new();
    loop {
        let ways = switch.canaries().worked.keys().cloned().collect::<Vec<_>>();
        let ways = chosen(ways.into_iter().filter(|way| holds(&switch, way)));
        running.retain(|way, over| {
            let wanted = ways.contains(way);
            if !wanted {
                over.cancel();
            }
            wanted
        });
        for way in ways {
            running.entry(way.clone()).or_insert_with(|| {
                let over = switch.stop.child_token();
                let (shared, token) = (Arc::clone(&switch), over.clone());
                switch.tasks.spawn(async move {
                    token.run_until_cancelled(keep(&shared, &way)).await;
                    shared.streams.forget(&way);
                });
                over
            });
        }
        tokio::select! {
            () = switch.stop.cancelled() => return,
            () = sleep(LOOK) => {}
        }
    }
}

/// Only our own gateway opens a stream that costs nothing.
fn holds(switch: &Switch, way: &Way) -> bool {
    let vantage = switch.vantages.get(way.0);
    vantage.is_some_and(|vantage| vantage.named().is_none())
}

/// Opens the stream again and again; more and more seldom while that fails, and at once when something is restored.
async fn keep(switch: &Arc<Switch>, way: &Way) {
    let mut pause = SOON;
    loop {
        if one(switch, way).await {
            pause = SOON;
        }
        tokio::select! {
            () = sleep(pause) => pause = (pause * 2).min(SELDOM),
            () = switch.restored.notified() => pause = SOON,
        }
    }
}

/// One stream, from its opening to its end; false when it never opened.
async fn one(switch: &Switch, way: &Way) -> bool {
    let Some(vantage) = switch.vantages.get(way.0) else {
        return false;
    };
    let Ok(Some(mut body)) = timeout(OPENS, open(switch, vantage, way)).await else {
        return false;
    };
    switch.streams.beat(way);
    let mut last = Vec::new();
    // Silence is no end: a gateway that hangs may still hold its clients' streams.
    while let Ok(Some(Ok(frame))) = timeout(SILENT, body.frame()).await {
        let Some(data) = frame.data_ref() else {
            continue;
        };
        if data.starts_with(b":") {
            switch.streams.beat(way);
        } else if last.len() + data.len() <= LAST_WORDS {
            last.extend_from_slice(data);
        }
    }
    switch.streams.end(way, named(&last));
    true
}

async fn open(switch: &Switch, vantage: &Vantage, way: &Way) -> Option<hyper::body::Incoming> {
    let mut request = vantage.request(&way.1).ok()?;
    let hold = HeaderValue::from_static("1");
    request.headers_mut().insert(HOLD_HEADER, hold);
    let mut sender = dial::connect(vantage.gateway, &switch.tasks).await.ok()?;
    let response = sender.send_request(request).await.ok()?;
    (response.status() == StatusCode::OK).then(|| response.into_body())
}

/// The incident in the error event that ends a stream.
fn named(last: &[u8]) -> Option<Incident> {
    let text = std::str::from_utf8(last).ok()?;
    let events = text.lines().filter_map(|line| line.strip_prefix("data: "));
    let errors = events.filter_map(|event| serde_json::from_str::<serde_json::Value>(event).ok());
    let mut numbers = errors.filter_map(|event| event.get("error")?.get("incident").cloned());
    serde_json::from_value(numbers.next_back()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_incident_is_read_from_the_last_event() {
        let event = |incident: &str| {
            format!(
                "data: {{\"error\":{{\"message\":\"Cut\",\"type\":\"portcullis_cut\"{incident}}}}}\n\n"
            )
        };
        let seven = named(event(",\"incident\":7").as_bytes());
        assert_eq!(seven.map(Incident::get), Some(7));
        assert_eq!(named(event("").as_bytes()), None);
        assert_eq!(named(b"data: {\"incident\":7}\n\n"), None);
        assert_eq!(named(b"\xff"), None);
    }
}
