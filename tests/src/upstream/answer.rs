//! Plays a script into one HTTP answer.

use super::{
    Shared,
    log::{End, Running},
    script::{self, NAMES, Script},
};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::{
    Request, Response,
    body::{Body, Frame, Incoming, SizeHint},
};
use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};
use tokio::sync::mpsc;

/// A piece of the answer on its way to the connection.
enum Piece {
    /// Bytes, and how many content chunks they hold.
    Bytes(Bytes, u64),
    /// The usage the next bytes claim.
    Usage((u64, u64)),
    /// Break the connection off here.
    BreakOff,
}

/// The answer's body; its record is closed when the connection lets go of it.
pub(super) struct Answer {
    pieces: mpsc::Receiver<Piece>,
    length: Option<u64>,
    running: Running,
}

impl Body for Answer {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        loop {
            match std::task::ready!(self.pieces.poll_recv(cx)) {
                Some(Piece::Bytes(bytes, chunks)) => {
                    self.running.sent(&bytes, chunks);
                    if self.length == Some(self.running.record.sent_bytes) {
                        self.running.record.end = End::Complete;
                    }
                    return Poll::Ready(Some(Ok(Frame::data(bytes))));
                }
                Some(Piece::Usage(usage)) => self.running.record.usage = Some(usage),
                Some(Piece::BreakOff) => {
                    self.running.record.end = End::BrokenOff;
                    return Poll::Ready(Some(Err(io::Error::other("the script breaks off here"))));
                }
                None => {
                    self.running.record.end = End::Complete;
                    return Poll::Ready(None);
                }
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.length
            .map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// Answers one request.
pub(super) async fn answer(
    request: Request<Incoming>,
    shared: Arc<Shared>,
    reset: Arc<AtomicBool>,
) -> Result<Response<Answer>, hyper::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let mut running = shared.log.begin(head.uri.to_string(), &head.headers, &body);
    let asked: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    let model = asked
        .get("model")
        .and_then(serde_json::Value::as_str)
        .unwrap_or_default();
    model.clone_into(&mut running.record.model);
    if head.uri.path() == "/v1/models" && shared.always() != Some(Script::Silent) {
        return Ok(whole(running, 200, models()));
    }
    let script = shared
        .always()
        .or_else(|| model.parse().ok())
        .unwrap_or(Script::Steady);
    match script {
        Script::Silent => {
            // Held until the peer goes away; then this future is dropped and the record with it.
            let _held = running;
            std::future::pending().await
        }
        Script::Error500 | Script::Error503 => {
            let status = if script == Script::Error500 { 500 } else { 503 };
            let text = format!(
                r#"{{"error":{{"message":"scripted failure","type":"server_error","param":null,"code":"scripted_{status}"}}}}"#
            );
            Ok(whole(running, status, text))
        }
        Script::Steady
        | Script::Slow
        | Script::Stall
        | Script::Trickle
        | Script::Reset
        | Script::Truncate
        | Script::Liar
        | Script::LateReset
        | Script::Nousage
        | Script::Paced
        | Script::Burst
        | Script::Flood => {
            let play = Play {
                script,
                model: model.to_owned(),
                tokens: asked
                    .get("max_tokens")
                    .and_then(serde_json::Value::as_u64)
                    .unwrap_or(20),
                reset,
            };
            let streams = asked.get("stream") == Some(&serde_json::Value::Bool(true));
            Ok(play.answer(streams, running, &shared))
        }
    }
}

fn models() -> String {
    let data: Vec<serde_json::Value> = NAMES
        .iter()
        .map(|(id, _)| serde_json::json!({"id": id, "object": "model", "created": 1, "owned_by": "scripted"}))
        .collect();
    serde_json::json!({"object": "list", "data": data}).to_string()
}

fn respond(status: u16, kind: &'static str, body: Answer) -> Response<Answer> {
    let id = body.running.record.id;
    let mut response = Response::new(body);
    if let Ok(status) = http::StatusCode::from_u16(status) {
        *response.status_mut() = status;
    }
    response.headers_mut().insert(
        http::header::CONTENT_TYPE,
        http::HeaderValue::from_static(kind),
    );
    response
        .headers_mut()
        .insert("x-scripted", http::HeaderValue::from(id));
    response
}

fn whole(running: Running, status: u16, text: String) -> Response<Answer> {
    let (pieces, receiver) = mpsc::channel(1);
    let length = Some(text.len() as u64);
    let _fits = pieces.try_send(Piece::Bytes(text.into(), 0));
    let body = Answer {
        pieces: receiver,
        length,
        running,
    };
    respond(status, "application/json", body)
}

/// One script about to be played.
struct Play {
    script: Script,
    model: String,
    tokens: u64,
    reset: Arc<AtomicBool>,
}

type Sent = Result<(), mpsc::error::SendError<Piece>>;

impl Play {
    fn answer(self, streams: bool, running: Running, shared: &Shared) -> Response<Answer> {
        let (pieces, receiver) = mpsc::channel(1);
        let usage = self.script.usage(self.tokens);
        // Only where it is sent: the text of a stream that shall run for long is long.
        let text = if streams {
            String::new()
        } else {
            script::whole(&self.model, self.tokens, usage)
        };
        let body = Answer {
            pieces: receiver,
            length: (!streams).then_some(text.len() as u64),
            running,
        };
        shared.tasks.spawn(async move {
            // An error only says that the peer went away: the record tells.
            let _how = if streams {
                self.stream(&pieces).await
            } else {
                self.whole(&pieces, text, usage).await
            };
        });
        let kind = if streams {
            "text/event-stream"
        } else {
            "application/json"
        };
        respond(200, kind, body)
    }

    /// An answer that does not stream: `slow` and `stall` hand it out in pieces.
    async fn whole(
        &self,
        pieces: &mpsc::Sender<Piece>,
        text: String,
        usage: Option<(u64, u64)>,
    ) -> Sent {
        if let Some(usage) = usage {
            pieces.send(Piece::Usage(usage)).await?;
        }
        let mut rest = Bytes::from(text);
        if matches!(self.script, Script::Slow | Script::Stall) {
            while rest.len() > 16 {
                pieces.send(Piece::Bytes(rest.split_to(16), 0)).await?;
                tokio::time::sleep(Duration::from_secs(1)).await;
                if self.script == Script::Stall {
                    pieces.closed().await;
                }
            }
        }
        pieces.send(Piece::Bytes(rest, self.tokens)).await
    }

    async fn stream(&self, pieces: &mpsc::Sender<Piece>) -> Sent {
        let last = match self.script {
            Script::Flood => u64::MAX,
            Script::Stall => 1,
            Script::Reset | Script::Truncate => 3,
            Script::Steady
            | Script::Slow
            | Script::Silent
            | Script::Trickle
            | Script::Liar
            | Script::LateReset
            | Script::Nousage
            | Script::Paced
            | Script::Burst
            | Script::Error500
            | Script::Error503 => self.tokens,
        };
        for at in 0..last {
            if at > 0 {
                self.pause(pieces).await?;
            }
            self.event(pieces, script::chunk(&self.model, at), 1)
                .await?;
        }
        match self.script {
            Script::Stall => {
                pieces.closed().await;
                return Ok(());
            }
            Script::Reset | Script::LateReset => {
                // Time for what was sent to arrive: a reset overtakes it otherwise.
                tokio::time::sleep(Duration::from_millis(50)).await;
                self.reset.store(true, Ordering::SeqCst);
                return pieces.send(Piece::BreakOff).await;
            }
            Script::Truncate => {
                let mut half = script::chunk(&self.model, last);
                half.truncate(half.len() / 2);
                pieces.send(Piece::Bytes(half.into(), 0)).await?;
                tokio::time::sleep(Duration::from_millis(20)).await;
                return pieces.send(Piece::BreakOff).await;
            }
            Script::Steady
            | Script::Slow
            | Script::Silent
            | Script::Trickle
            | Script::Liar
            | Script::Nousage
            | Script::Paced
            | Script::Burst
            | Script::Flood
            | Script::Error500
            | Script::Error503 => {}
        }
        self.event(pieces, script::stop(&self.model), 0).await?;
        if let Some(usage) = self.script.usage(last) {
            pieces.send(Piece::Usage(usage)).await?;
            self.event(pieces, script::usage_event(&self.model, usage), 0)
                .await?;
        }
        self.event(pieces, "data: [DONE]\n\n".to_owned(), 0).await
    }

    async fn pause(&self, pieces: &mpsc::Sender<Piece>) -> Sent {
        let pause = match self.script {
            Script::Flood | Script::Burst => return Ok(()),
            Script::Paced => Duration::from_millis(10),
            Script::Slow => Duration::from_secs(1),
            Script::Trickle => Duration::from_millis(1),
            Script::Steady
            | Script::Stall
            | Script::Silent
            | Script::Reset
            | Script::Truncate
            | Script::Liar
            | Script::LateReset
            | Script::Nousage
            | Script::Error500
            | Script::Error503 => Duration::from_millis(20),
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = pieces.closed() => {}
        }
        Ok(())
    }

    async fn event(&self, pieces: &mpsc::Sender<Piece>, text: String, chunks: u64) -> Sent {
        let mut rest = Bytes::from(text);
        if self.script == Script::Trickle {
            while rest.len() > 1 {
                pieces.send(Piece::Bytes(rest.split_to(1), 0)).await?;
                tokio::task::yield_now().await;
            }
        }
        pieces.send(Piece::Bytes(rest, chunks)).await
    }
}
