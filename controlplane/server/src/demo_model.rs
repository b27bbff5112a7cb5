//! A model for people who have none: canned text, streamed slowly, so that there is something to cut.
//!
//! It speaks OpenAI's chat completions on loopback, as Ollama would, and every answer says first that it is a demo.

mod script;
mod talk;

pub(crate) use script::MODEL;

use crate::clock;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Either, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use script::Answer;
use serde::Deserialize;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::io;
use std::time::Duration;
use talk::Talk;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Longest accepted request in bytes; agents send long histories.
const MAX_REQUEST: usize = 4 << 20;
/// Most connections at a time; one more is hung up on.
const MOST_CONNECTIONS: usize = 256;
/// How long a request may take to arrive.
const READ_LIMIT: Duration = Duration::from_secs(30);

/// The running demo model. Dropping it stops it without waiting.
#[derive(Debug)]
pub(crate) struct DemoModel {
    stop: CancellationToken,
    tasks: TaskTracker,
}

type Body = Either<Full<Bytes>, Talk>;

#[derive(Deserialize)]
struct Ask {
    #[serde(default)]
    messages: Vec<Value>,
    #[serde(default)]
    stream: bool,
    #[serde(default)]
    stream_options: Option<StreamOptions>,
    #[serde(default)]
    max_tokens: Option<u32>,
    #[serde(default)]
    max_completion_tokens: Option<u32>,
}

#[derive(Deserialize)]
struct StreamOptions {
    #[serde(default)]
    include_usage: bool,
}

impl DemoModel {
    /// Starts to answer, on the runtime it is called from.
    ///
    /// # Errors
    /// When the listener cannot be used.
    pub(crate) fn start(listener: std::net::TcpListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let (until, connections) = (stop.clone(), tasks.clone());
        tasks.spawn(async move {
            let accepting = accept(&listener, &connections, &until);
            until.run_until_cancelled(accepting).await;
        });
        Ok(Self { stop, tasks })
    }

    /// Hangs up on everybody and waits for the end of it, `limit` at most.
    pub(crate) async fn stop(self, limit: Duration) {
        self.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(limit, self.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!("The demo model did not stop in time.");
        }
    }
}

impl Drop for DemoModel {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn accept(listener: &TcpListener, connections: &TaskTracker, stop: &CancellationToken) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        // This very task is tracked too.
        if connections.len() > MOST_CONNECTIONS {
            continue;
        }
        let until = stop.clone();
        connections.spawn(async move { until.run_until_cancelled(connection(stream)).await });
    }
}

async fn connection(stream: TcpStream) {
    // Without it words would wait for each other; with an error they only come late.
    drop(stream.set_nodelay(true));
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(READ_LIMIT)
        .serve_connection(TokioIo::new(stream), hyper::service::service_fn(answer))
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "A connection to the demo model ended early.");
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    let known = (request.method().clone(), request.uri().path().to_owned());
    Ok(match (&known.0, known.1.as_str()) {
        (&Method::POST, "/v1/chat/completions") => chat(request.into_body()).await,
        (&Method::GET, "/v1/models") => models(),
        (_, "/v1/chat/completions" | "/v1/models") => {
            problem(StatusCode::METHOD_NOT_ALLOWED, "wrong method")
        }
        _ => problem(StatusCode::NOT_FOUND, "the demo model has no such path"),
    })
}

async fn chat(body: Incoming) -> Response<Body> {
    let body = Limited::new(body, MAX_REQUEST).collect();
    let Ok(Ok(body)) = tokio::time::timeout(READ_LIMIT, body).await else {
        return problem(
            StatusCode::PAYLOAD_TOO_LARGE,
            "the request is too long or came too slowly",
        );
    };
    let ask: Ask = match serde_json::from_slice(&body.to_bytes()) {
        Ok(ask) => ask,
        Err(error) => return problem(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    let limit = ask.max_completion_tokens.or(ask.max_tokens);
    let answer = Answer::new(&ask.messages, limit, clock::now());
    if !ask.stream {
        return json(StatusCode::OK, &answer.whole());
    }
    let usage = ask
        .stream_options
        .is_some_and(|options| options.include_usage);
    let mut response = Response::new(Either::Right(Talk::new(answer, usage)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

fn models() -> Response<Body> {
    let model = json!({ "id": MODEL, "object": "model", "created": 0, "owned_by": "portcullis" });
    json(
        StatusCode::OK,
        &json!({ "object": "list", "data": [model] }),
    )
}

fn problem(status: StatusCode, message: &str) -> Response<Body> {
    let error = json!({
        "message": message, "type": "invalid_request_error", "param": null, "code": null,
    });
    json(status, &json!({ "error": error }))
}

fn json(status: StatusCode, value: &Value) -> Response<Body> {
    let body = Full::new(Bytes::from(value.to_string()));
    let mut response = Response::new(Either::Left(body));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

#[cfg(test)]
mod tests;
