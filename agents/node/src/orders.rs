//! Answers HTTP requests: `POST /v1/orders` and `POST /v1/looks` with signed bytes, `GET /healthz`.

use crate::carry_out::carry_out;
use crate::hand::Hand;
use crate::looks::look;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use kill_wire::{CHALLENGE_HEADER, LOOKS_PATH, MAX_LOOK_BYTES, MAX_ORDER_BYTES, Refusal};
use serde_json::json;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

/// How long a request's head, and then its body, may take to arrive.
pub(crate) const READ_LIMIT: Duration = Duration::from_secs(20);
/// Answers one request.
pub(crate) async fn answer(
    hand: Arc<Hand>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let known = (request.method().clone(), request.uri().path().to_owned());
    Ok(match (&known.0, known.1.as_str()) {
        (&Method::POST, "/v1/orders") => {
            challenging(order(&hand, request.into_body()).await, &hand)
        }
        (&Method::POST, LOOKS_PATH) => looked(hand, request.into_body()).await,
        (&Method::GET, "/healthz") => health(&hand),
        (_, "/v1/orders" | LOOKS_PATH | "/healthz") => {
            problem(StatusCode::METHOD_NOT_ALLOWED, "wrong method")
        }
        _ => problem(StatusCode::NOT_FOUND, "no such path"),
    })
}

async fn order(hand: &Arc<Hand>, body: Incoming) -> Response<Full<Bytes>> {
    let Some(order) = read(body, MAX_ORDER_BYTES).await else {
        return problem(
            StatusCode::BAD_REQUEST,
            "the order is too long or came too slowly",
        );
    };
    let tasks = hand.tasks().clone();
    let hand = Arc::clone(hand);
    // In a task of its own: a caller that hangs up does not stop an order half-way.
    let carried = tasks.spawn(async move { carry_out(&hand, &order).await });
    match carried.await {
        Ok(Ok(receipt)) => json(StatusCode::OK, serde_json::to_vec(&receipt)),
        Ok(Err(refusal)) => {
            let status = match refusal {
                Refusal::Stale { .. } => StatusCode::CONFLICT,
                Refusal::Unanswered => StatusCode::GONE,
                Refusal::Unsigned => StatusCode::FORBIDDEN,
                Refusal::NotSaved { .. } => StatusCode::INTERNAL_SERVER_ERROR,
            };
            json(status, serde_json::to_vec(&refusal))
        }
        Err(panic) => {
            tracing::error!(%panic, "An order was not carried out to its end.");
            problem(StatusCode::INTERNAL_SERVER_ERROR, "the agent failed")
        }
    }
}

/// Every answer to an order carries the challenge that the next one must answer.
fn challenging(mut answer: Response<Full<Bytes>>, hand: &Hand) -> Response<Full<Bytes>> {
    let challenge = hand.challenge().map(|challenge| challenge.to_string());
    if let Some(Ok(value)) = challenge.map(|text| HeaderValue::from_str(&text)) {
        answer.headers_mut().insert(CHALLENGE_HEADER, value);
    }
    answer
}

async fn looked(hand: Arc<Hand>, body: Incoming) -> Response<Full<Bytes>> {
    let Some(bytes) = read(body, MAX_LOOK_BYTES).await else {
        return problem(
            StatusCode::BAD_REQUEST,
            "the look is too long or came too slowly",
        );
    };
    match look(&hand, &bytes).await {
        Some(looked) => json(StatusCode::OK, serde_json::to_vec(&looked)),
        None => problem(StatusCode::FORBIDDEN, "not a look of this house"),
    }
}

async fn read(body: Incoming, most: usize) -> Option<Bytes> {
    let body = Limited::new(body, most).collect();
    match tokio::time::timeout(READ_LIMIT, body).await {
        Ok(Ok(body)) => Some(body.to_bytes()),
        Ok(Err(_)) | Err(_) => None,
    }
}

fn health(hand: &Hand) -> Response<Full<Bytes>> {
    let core = hand.core();
    let newest = (0..hand.keys.len()).map(|at| core.seq(at)).max();
    let health = json!({
        "node": &hand.node,
        "seq": newest,
        "latches": core.overlay().latches.as_slice().len(),
        "paused": !core.overlay().paused.is_empty(),
        "silent": core.silent(),
    });
    json(StatusCode::OK, Ok(health.to_string().into_bytes()))
}

fn problem(status: StatusCode, text: &str) -> Response<Full<Bytes>> {
    json(
        status,
        Ok(json!({ "error": text }).to_string().into_bytes()),
    )
}

fn json(status: StatusCode, body: serde_json::Result<Vec<u8>>) -> Response<Full<Bytes>> {
    let (status, body) = match body {
        Ok(body) => (status, body),
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, Vec::new()),
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}
