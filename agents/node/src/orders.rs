//! Answers HTTP requests: `POST /v1/orders` with the signed bytes, `GET /healthz`.

use crate::carry_out::carry_out;
use crate::hand::Hand;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use kill_wire::{MAX_ORDER_BYTES, Refusal};
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
        (&Method::POST, "/v1/orders") => order(hand, request.into_body()).await,
        (&Method::GET, "/healthz") => health(&hand),
        (_, "/v1/orders" | "/healthz") => problem(StatusCode::METHOD_NOT_ALLOWED, "wrong method"),
        _ => problem(StatusCode::NOT_FOUND, "no such path"),
    })
}

async fn order(hand: Arc<Hand>, body: Incoming) -> Response<Full<Bytes>> {
    let body = Limited::new(body, MAX_ORDER_BYTES).collect();
    let Ok(Ok(body)) = tokio::time::timeout(READ_LIMIT, body).await else {
        return problem(
            StatusCode::BAD_REQUEST,
            "the order is too long or came too slowly",
        );
    };
    let order = body.to_bytes();
    let tasks = hand.tasks().clone();
    // In a task of its own: a caller that hangs up does not stop an order half-way.
    let carried = tasks.spawn(async move { carry_out(&hand, &order).await });
    match carried.await {
        Ok(Ok(receipt)) => json(StatusCode::OK, serde_json::to_vec(&receipt)),
        Ok(Err(refusal)) => {
            let status = match refusal {
                Refusal::Stale { .. } => StatusCode::CONFLICT,
                Refusal::Expired { .. } => StatusCode::GONE,
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

fn health(hand: &Hand) -> Response<Full<Bytes>> {
    let core = hand.core();
    let health = json!({
        "node": &hand.node,
        "seq": core.saved().seq,
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
