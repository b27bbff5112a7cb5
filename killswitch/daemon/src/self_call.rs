//! Calls to ourselves: where we hold what signs a channel's calls, one goes through the real listener every hour. It
//! shows that listener, body limits, channel and signature still fit together.
//!
//! A call of ours is known by its id, which nobody else can guess, and ends where its signature was checked: it is never
//! decided about.

use crate::clock;
use crate::dial;
use crate::switch::Switch;
use bytes::Bytes;
use data_encoding::HEXLOWER;
use http::{Method, Request, header};
use http_body_util::Full;
use kill_inbound::{Channel, SelfCall};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Between two rounds.
const EVERY: Duration = Duration::from_secs(3600);
/// After the start, so that the first round finds the listener.
const FIRST: Duration = Duration::from_secs(2);
/// For one call.
const LIMIT: Duration = Duration::from_secs(3);

/// Ids of our calls that are under way.
#[derive(Debug, Default)]
pub(crate) struct UnderWay(Mutex<Vec<String>>);

impl UnderWay {
    fn begin(&self) -> String {
        let id = format!("self-{}", HEXLOWER.encode(&clock::nonce()));
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(id.clone());
        id
    }

    /// Whether this is one of ours; each is known once.
    pub(crate) fn end(&self, id: &str) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = all.iter().position(|known| known == id);
        at.map(|at| all.swap_remove(at)).is_some()
    }
}

/// Calls every hour until shutdown.
pub(crate) async fn hourly(switch: std::sync::Arc<Switch>) {
    let mut pause = FIRST;
    loop {
        tokio::select! {
            () = switch.stop.cancelled() => return,
            () = sleep(pause) => {}
        }
        all(&switch).await;
        pause = EVERY;
    }
}

/// One call for every channel whose calls we can sign.
pub(crate) async fn all(switch: &Switch) {
    for channel in switch.channels().iter() {
        let id = switch.self_calls.begin();
        let made = channel.self_call(&id, clock::now());
        let outcome = match &made {
            Some(call) => Some(one(switch, channel, call).await),
            None => None,
        };
        // Still there: the call did not get as far as its signature.
        let lost = switch.self_calls.end(&id);
        let problem = match outcome {
            None => continue,
            Some(Ok(())) if !lost => None,
            Some(Ok(())) => Some("it was not recognised".to_owned()),
            Some(Err(why)) => Some(why),
        };
        if let Some(why) = &problem {
            tracing::warn!(channel = channel.name(), %why, "Our own signed call did not come through.");
        }
        switch
            .book()
            .self_called(channel.name(), problem, clock::now());
    }
}

async fn one(switch: &Switch, channel: &Channel, call: &SelfCall) -> Result<(), String> {
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(format!("/v1/inbound/{}", channel.name()))
        .header(header::HOST, switch.listens.to_string());
    for (name, value) in &call.headers {
        request = request.header(*name, value);
    }
    let request = request
        .body(Full::new(Bytes::from(call.body.clone())))
        .map_err(|why| why.to_string())?;
    let calling = async {
        let mut sender = dial::connect(switch.listens, &switch.tasks).await?;
        dial::call(&mut sender, request).await
    };
    match timeout(LIMIT, calling).await {
        Ok(Ok(answer)) if answer.status.is_success() => Ok(()),
        Ok(Ok(answer)) => Err(format!("answered {}", answer.status)),
        Ok(Err(no_answer)) => Err(no_answer.why),
        Err(_) => Err(format!("no answer within {LIMIT:?}")),
    }
}
