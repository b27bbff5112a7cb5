//! Which question is answered how.

use crate::desk::Desk;
use crate::refusal::Refusal;
use crate::{Intake, binary, caller, join, renew, reports};
use bytes::Bytes;
use hyper::body::Incoming;
use hyper::{Method, Request, StatusCode};
use net_link::{Answer, Peer, json, parsed, read, text};
use net_model::{
    AGENT_PATH, CARD_PATH, JOIN_PATH, MAX_BATCH_BYTES, MAX_TALK_BYTES, RENEW_PATH, REPORTS_PATH,
};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How long a body may take.
const BODY: Duration = Duration::from_secs(20);

/// Answers one question of whoever is at the other end.
pub(crate) async fn answer<I: Intake>(
    desk: Arc<Desk<I>>,
    who: (Option<Peer>, IpAddr),
    request: Request<Incoming>,
) -> Answer {
    match attempt(&desk, &who, request).await {
        Ok(answer) => answer,
        Err(refusal) => refusal.answer(),
    }
}

async fn attempt<I: Intake>(
    desk: &Desk<I>,
    (peer, from): &(Option<Peer>, IpAddr),
    request: Request<Incoming>,
) -> Result<Answer, Refusal> {
    let peer = peer.as_ref();
    let (head, body) = request.into_parts();
    match (&head.method, head.uri.path()) {
        (&Method::GET, CARD_PATH) => {
            let card = desk.house.card.clone();
            Ok(text(StatusCode::OK, "application/json", card))
        }
        (&Method::POST, JOIN_PATH) => {
            let ask = parsed(&whole(body, MAX_TALK_BYTES).await?).map_err(Refusal::bad)?;
            let joined = join::let_in(desk, &ask).await?;
            Ok(json(StatusCode::OK, &joined))
        }
        (&Method::POST, RENEW_PATH) => {
            let known = caller::host(desk, peer).await?;
            let ask = parsed(&whole(body, MAX_TALK_BYTES).await?).map_err(Refusal::bad)?;
            let next = renew::next(desk, &known, &ask).await?;
            Ok(json(StatusCode::OK, &next))
        }
        (&Method::POST, REPORTS_PATH) => {
            let known = caller::host(desk, peer).await?;
            let batch = desk.pace.begin(&known.host.name, Instant::now());
            let mut batch = batch.map_err(Refusal::later)?;
            let lines = whole(body, MAX_BATCH_BYTES).await?;
            batch.weighs(lines.len());
            let taken = reports::take(desk, &known, from.to_canonical(), lines).await?;
            Ok(json(StatusCode::OK, &taken))
        }
        (&Method::GET, path) if path.starts_with(AGENT_PATH) => {
            binary::answer(desk, path.get(AGENT_PATH.len()..).unwrap_or_default()).await
        }
        _ => Err(Refusal::new(StatusCode::NOT_FOUND, "no such path")),
    }
}

async fn whole(body: Incoming, most: usize) -> Result<Bytes, Refusal> {
    let too_much = |_| Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "too long or too slow");
    read(body, most, BODY).await.map_err(too_much)
}
