//! One target, asked once: until the first byte of its answer has come, or it is clear that it does not serve.
//!
//! Nothing has gone to the client before that byte, so the next target may still be asked.

use crate::{
    target_http::Flow,
    targets::Seat,
    upstream::{Ask, UpstreamError, Upstreams},
};
use bytes::Bytes;
use gateway_core::choice::Failure;
use http::{StatusCode, header::RETRY_AFTER, response::Parts};
use std::{error::Error as _, pin::pin, time::Duration};
use tokio::time::{Instant, timeout_at};

/// An answer whose first byte is here.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) head: Parts,
    /// What came first of the body; `None` when it is empty, or was not waited for.
    pub(crate) first: Option<Bytes>,
    pub(crate) flow: Flow,
    /// The target was asked for figures that the client did not ask for.
    pub(crate) hides_figures: bool,
}

/// What became of it.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The answer, whatever it says to the client.
    Serves(Answered),
    /// It says that it cannot. This stands when nobody else can.
    Unable(Answered, Failure),
    /// No answer.
    Failed(Failure),
}

/// Asks, and tells the seat how the target did. `streams`: the client waits for a first token.
pub(crate) async fn attempt(
    upstreams: &Upstreams,
    ask: &Ask<'_>,
    streams: bool,
    seat: &mut Seat,
) -> Outcome {
    let begun = Instant::now();
    let limit = ask.target.timeouts.first_byte;
    let slow = ask.target.breaker.slow_first_token;
    let slow = slow.filter(|slow| streams && *slow < limit);
    let mut answer = pin!(first_byte(upstreams, ask));
    let mut early = None;
    if let Some(slow) = slow {
        early = timeout_at(begun + slow, &mut answer).await.ok();
        if early.is_none() {
            // The breaker learns it now; this client goes on waiting.
            seat.failed(Failure::SlowFirstToken);
        }
    }
    let outcome = match early {
        Some(outcome) => outcome,
        None => timeout_at(begun + limit, answer)
            .await
            .unwrap_or(Outcome::Failed(Failure::Timeout)),
    };
    match &outcome {
        Outcome::Serves(_) => seat.served(),
        Outcome::Unable(_, failure) | Outcome::Failed(failure) => seat.failed(*failure),
    }
    outcome
}

async fn first_byte(upstreams: &Upstreams, ask: &Ask<'_>) -> Outcome {
    let (head, flow) = match upstreams.ask(ask).await {
        Ok(answer) => answer,
        Err(error) => {
            let cause = error.source().map(ToString::to_string);
            tracing::warn!(target_name = %ask.target.name, %error, cause, "A target gave no answer.");
            return Outcome::Failed(failure_of(&error));
        }
    };
    let mut answered = Answered {
        head,
        first: None,
        flow,
        hides_figures: false,
    };
    if let Some(failure) = unable(&answered.head) {
        return Outcome::Unable(answered, failure);
    }
    match answered.flow.piece().await.transpose() {
        Ok(first) => answered.first = first,
        Err(error) => {
            tracing::debug!(target_name = %ask.target.name, %error, "A target broke its answer off before the first byte.");
            return Outcome::Failed(Failure::BrokenOff);
        }
    }
    Outcome::Serves(answered)
}

const fn failure_of(error: &UpstreamError) -> Failure {
    match error {
        UpstreamError::Connect(_) | UpstreamError::Build(_) => Failure::Connect,
        UpstreamError::NoAnswer(_) | UpstreamError::Unreadable => Failure::BrokenOff,
        UpstreamError::Late(_) => Failure::Timeout,
    }
}

/// Whether an answer says that the target cannot serve now. Any other refusal is the client's own.
fn unable(head: &Parts) -> Option<Failure> {
    match head.status {
        StatusCode::TOO_MANY_REQUESTS => Some(Failure::TooMany(retry_after(head))),
        StatusCode::REQUEST_TIMEOUT => Some(Failure::Status),
        status => status.is_server_error().then_some(Failure::Status),
    }
}

/// In seconds (RFC 9110 section 10.2.3). A date is not read: the pause of the rule holds then.
fn retry_after(head: &Parts) -> Option<Duration> {
    let value = head.headers.get(RETRY_AFTER)?.to_str().ok()?;
    value.trim().parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Response;

    fn head(status: u16, after: Option<&str>) -> Parts {
        let mut response = Response::builder().status(status);
        if let Some(after) = after {
            response = response.header(RETRY_AFTER, after);
        }
        response.body(()).unwrap().into_parts().0
    }

    #[test]
    fn what_is_the_client_s_own_fault_is_no_failure_of_the_target() {
        for status in [200, 301, 400, 401, 403, 404, 409, 422] {
            assert_eq!(unable(&head(status, None)), None, "{status}");
        }
        for status in [408, 500, 502, 503, 504, 529] {
            assert_eq!(
                unable(&head(status, None)),
                Some(Failure::Status),
                "{status}"
            );
        }
        let after = |text| unable(&head(429, text));
        assert_eq!(after(None), Some(Failure::TooMany(None)));
        let seven = Some(Duration::from_secs(7));
        assert_eq!(after(Some("7")), Some(Failure::TooMany(seven)));
        assert_eq!(after(Some("Wed, 21 Oct")), Some(Failure::TooMany(None)));
    }
}
