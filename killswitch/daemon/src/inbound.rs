//! One webhook call: verify the raw body, decide, act, answer by the channel's own way.

use crate::act;
use crate::answer::{Response, plain, reply};
use crate::places::Place;
use crate::switch::Switch;
use crate::tell;
use crate::verified;
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming as Body;
use kill_core::{Decision, InboundText};
use kill_inbound::{Channel, MAX_BODY, RawRequest, Refusal, Replies};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// Until a body must be there.
const BODY_LIMIT: Duration = Duration::from_secs(5);

/// Takes a call for the channel of this name.
pub(crate) async fn take(
    switch: &Arc<Switch>,
    name: &str,
    request: Request<Body>,
    place: &Place,
) -> Response {
    let channels = switch.channels();
    let Some(channel) = channels.iter().find(|channel| channel.name() == name) else {
        return plain(StatusCode::NOT_FOUND, "No such channel.\n");
    };
    let (head, body) = request.into_parts();
    let body = match timeout(BODY_LIMIT, Limited::new(body, MAX_BODY).collect()).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(_)) => {
            return plain(
                StatusCode::PAYLOAD_TOO_LARGE,
                "The body is broken or too long.\n",
            );
        }
        Err(_) => return plain(StatusCode::REQUEST_TIMEOUT, "The body did not come.\n"),
    };
    let headers: Vec<(&str, &[u8])> = head
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect();
    let raw = RawRequest {
        method: head.method.as_str(),
        headers: &headers,
        query: head.uri.query(),
        body: &body,
    };
    match verified::text(switch, channel, &raw) {
        Ok(Some(text)) => {
            place.keep();
            answer(switch, channel, text).await
        }
        Ok(None) => acknowledge(channel, None, None),
        Err(Refusal::Method) => plain(StatusCode::METHOD_NOT_ALLOWED, "Not this method.\n"),
        Err(_) => plain(StatusCode::FORBIDDEN, "Refused.\n"),
    }
}

async fn answer(switch: &Arc<Switch>, channel: &Channel, text: InboundText) -> Response {
    let (accepted, decision) = act::decide(switch, &text);
    let (shared, here) = (Arc::clone(switch), channel.replies() == Replies::InResponse);
    let (asked, cut) = (text.clone(), matches!(decision, Decision::Cut(_)));
    // A provider that hangs up must not stop what it asked for: the work goes on in a task of its own.
    let work = switch.tasks.spawn(async move {
        let said = act::carry_out(&shared, &text, decision, accepted).await;
        if here {
            return said;
        }
        tell::back(&shared, &text, said, cut);
        None
    });
    // Who is answered by the courier is acknowledged at once: some providers wait two seconds and no longer.
    if !here {
        return acknowledge(channel, None, None);
    }
    let said = tell::here(switch, channel, &asked, work.await.unwrap_or_default(), cut);
    acknowledge(channel, said.as_deref(), asked.sender.as_deref())
}

fn acknowledge(channel: &Channel, said: Option<&str>, to: Option<&str>) -> Response {
    let answer = channel.answer(said, to);
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    reply(status, answer.content_type, Bytes::from(answer.body))
}
