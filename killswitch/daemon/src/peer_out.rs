//! Tells the other kill switches of the house: at once when something changed, and every ten seconds.
//!
//! Not on the way of a cut: one that is dead delays nothing and taints nothing.

use crate::clock;
use crate::dial::{self, NoAnswer};
use crate::peer_in::Taken;
use crate::peers::Known;
use crate::switch::Switch;
use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::Full;
use kill_wire::PEER_PATH;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Between two words while nothing changes.
const EVERY: Duration = Duration::from_secs(10);
/// Between two tries while it does not answer.
const RETRY: Duration = Duration::from_secs(1);
/// Between two words while much changes.
const BREATH: Duration = Duration::from_millis(20);
/// How long it may take to answer.
const LIMIT: Duration = Duration::from_secs(2);

/// One task for each.
pub(crate) fn start(switch: &Arc<Switch>) {
    for at in 0..switch.peers.all.len() {
        let shared = Arc::clone(switch);
        switch.tasks.spawn(async move {
            if let Some(known) = shared.peers.all.get(at) {
                let stop = shared.stop.clone();
                stop.run_until_cancelled(keep_telling(&shared, known)).await;
            }
        });
    }
}

async fn keep_telling(switch: &Arc<Switch>, known: &Known) {
    loop {
        let outcome = tell(switch, known).await;
        if known.told(&outcome) {
            match &outcome {
                Ok(()) => tracing::info!(peer = known.peer.name, "Another kill switch answers."),
                Err(why) => {
                    tracing::warn!(peer = known.peer.name, %why, "Another kill switch does not answer.");
                }
            }
        }
        let pause = if outcome.is_ok() { EVERY } else { RETRY };
        tokio::select! {
            () = known.news.notified() => sleep(BREATH).await,
            () = sleep(pause) => {}
        }
    }
}

async fn tell(switch: &Arc<Switch>, known: &Known) -> Result<(), String> {
    // Twice: one that heard a higher number (this host's clock stepped back, or its state was lost) names it.
    for _ in 0..2 {
        let (seq, body) = say(switch);
        let told = timeout(LIMIT, send(switch, known, body)).await;
        let heard = told.map_err(|_| format!("no answer within {LIMIT:?}"))?;
        let heard = heard.map_err(|no_answer| no_answer.why)?.seq;
        if heard <= seq {
            return Ok(());
        }
        switch.overtake(heard);
    }
    Err("it has heard a higher number".to_owned())
}

/// The present state under a new number, sealed.
fn say(switch: &Switch) -> (u64, Vec<u8>) {
    let now = clock::now();
    let mut core = switch.core();
    // It answers no agent's challenge: nobody can be permitted anything with it.
    let order = core.next_order(now, clock::nonce(), Vec::new());
    let sealed = String::from_utf8_lossy(&order.seal(&switch.key)).into_owned();
    let state = core.peer_state(sealed, now);
    (order.seq, state.seal(&switch.key))
}

async fn send(switch: &Switch, known: &Known, body: Vec<u8>) -> Result<Taken, NoAnswer> {
    let address = known.peer.address;
    let request = Request::builder()
        .method(Method::POST)
        .uri(PEER_PATH)
        .header(header::HOST, address.to_string())
        .header(header::CONNECTION, "close")
        .body(Full::new(Bytes::from(body)))
        .map_err(NoAnswer::new)?;
    let mut sender = dial::connect(address, &switch.tasks).await?;
    let answer = dial::call(&mut sender, request).await?;
    match answer.status {
        StatusCode::OK => serde_json::from_slice(&answer.body).map_err(NoAnswer::new),
        StatusCode::FORBIDDEN => Err(NoAnswer::new("it does not know this one's key")),
        other => Err(NoAnswer::new(format!("answered {other}"))),
    }
}
