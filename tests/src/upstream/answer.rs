//! Plays a script into one HTTP answer.

use super::{
    Shared,
    log::{End, Running},
    script::{NAMES, Script},
    words::{self, Format, Usage, Whole},
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
    let path = head.uri.path();
    if shared.always() != Some(Script::Silent)
        && let Some(text) = list(path, &head.headers)
    {
        return Ok(whole(running, 200, text));
    }
    let format = Format::of(path);
    let script = shared
        .always()
        .or_else(|| model.parse().ok())
        .unwrap_or(Script::Steady);
    if let Some(status) = script.refuses(&asked) {
        return Ok(whole(running, status, format.failure(status)));
    }
    if script == Script::Silent {
        // Held until the peer goes away; then this future is dropped and the record with it.
        let _held = running;
        return std::future::pending().await;
    }
    let tokens = format.max_tokens(&asked).unwrap_or(20);
    let play = Play {
        script,
        format,
        model: model.to_owned(),
        tokens,
        usage: script.usage(tokens, format.asks_for_usage(&asked)),
        reset,
    };
    Ok(play.answer(&asked, running, &shared))
}

fn list(path: &str, headers: &http::HeaderMap) -> Option<String> {
    let names: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
    words::list(path, &names, headers.contains_key("anthropic-version"))
}

/// The tool that was offered first, in the shape of any API.
fn first_tool(asked: &serde_json::Value) -> Option<&str> {
    let tool = asked.pointer("/tools/0")?;
    tool.pointer("/function/name")
        .or_else(|| tool.get("name"))?
        .as_str()
}

/// How many texts are to be embedded.
fn texts(asked: &serde_json::Value) -> usize {
    asked
        .get("input")
        .and_then(serde_json::Value::as_array)
        .map_or(1, Vec::len)
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
    format: Format,
    model: String,
    tokens: u64,
    usage: Option<Usage>,
    reset: Arc<AtomicBool>,
}

type Sent = Result<(), mpsc::error::SendError<Piece>>;

impl Play {
    fn answer(
        self,
        asked: &serde_json::Value,
        running: Running,
        shared: &Shared,
    ) -> Response<Answer> {
        let (pieces, receiver) = mpsc::channel(1);
        let streams = self.format.streams(asked);
        // Only where it is sent: the text of a stream that shall run for long is long.
        let text = if streams {
            String::new()
        } else {
            self.format.whole(&Whole {
                model: &self.model,
                chunks: self.tokens,
                usage: self.usage,
                tool: first_tool(asked).filter(|_| self.script == Script::Tool),
                texts: texts(asked),
            })
        };
        let kind = self.format.content_type(streams);
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
                self.whole(&pieces, text).await
            };
        });
        respond(200, kind, body)
    }

    /// An answer that does not stream: `slow` and `stall` hand it out in pieces.
    async fn whole(&self, pieces: &mpsc::Sender<Piece>, text: String) -> Sent {
        self.claim(pieces).await?;
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

    /// Writes down what the next bytes claim.
    async fn claim(&self, pieces: &mpsc::Sender<Piece>) -> Sent {
        match self.usage {
            Some(usage) => {
                let claimed = (usage.prompt, usage.completion);
                pieces.send(Piece::Usage(claimed)).await
            }
            None => Ok(()),
        }
    }

    /// How many chunks of text a stream has.
    fn chunks(&self) -> u64 {
        match self.script {
            Script::Flood => u64::MAX,
            Script::Stall => 1,
            Script::Reset | Script::Truncate => 3,
            Script::Steady
            | Script::Slow
            | Script::Silent
            | Script::Trickle
            | Script::Liar
            | Script::Nousage
            | Script::Plain
            | Script::Strict
            | Script::Cached
            | Script::Tool
            | Script::LateReset
            | Script::Paced
            | Script::Burst
            | Script::Error500
            | Script::Error503 => self.tokens,
        }
    }

    async fn stream(&self, pieces: &mpsc::Sender<Piece>) -> Sent {
        let opening = self.format.opening(&self.model, self.usage);
        if !opening.is_empty() {
            self.event(pieces, opening, 0).await?;
        }
        let last = self.chunks();
        for at in 0..last {
            if at > 0 {
                self.pause(pieces).await?;
            }
            self.event(pieces, self.format.chunk(&self.model, at), 1)
                .await?;
        }
        if self.breaks_off(pieces, last).await? {
            return Ok(());
        }
        let [stop, told, end] = self.format.closing(&self.model, last, self.usage);
        for (at, text) in [stop, told, end].into_iter().enumerate() {
            if at == 1 {
                self.claim(pieces).await?;
            }
            if !text.is_empty() {
                self.event(pieces, text, 0).await?;
            }
        }
        Ok(())
    }

    /// Ends a stream before its time, where the script says so.
    async fn breaks_off(
        &self,
        pieces: &mpsc::Sender<Piece>,
        last: u64,
    ) -> Result<bool, mpsc::error::SendError<Piece>> {
        match self.script {
            Script::Stall => pieces.closed().await,
            Script::Reset | Script::LateReset => {
                // Time for what was sent to arrive: a reset overtakes it otherwise.
                tokio::time::sleep(Duration::from_millis(50)).await;
                self.reset.store(true, Ordering::SeqCst);
                pieces.send(Piece::BreakOff).await?;
            }
            Script::Truncate => {
                let mut half = self.format.chunk(&self.model, last);
                half.truncate(half.len() / 2);
                pieces.send(Piece::Bytes(half.into(), 0)).await?;
                tokio::time::sleep(Duration::from_millis(20)).await;
                pieces.send(Piece::BreakOff).await?;
            }
            Script::Steady
            | Script::Slow
            | Script::Silent
            | Script::Trickle
            | Script::Liar
            | Script::Nousage
            | Script::Plain
            | Script::Strict
            | Script::Cached
            | Script::Tool
            | Script::Paced
            | Script::Burst
            | Script::Flood
            | Script::Error500
            | Script::Error503 => return Ok(false),
        }
        Ok(true)
    }

    async fn pause(&self, pieces: &mpsc::Sender<Piece>) -> Sent {
        let pause = match self.script {
            Script::Flood | Script::Burst => return Ok(()),
            Script::Paced => Duration::from_millis(10),
            Script::Slow => Duration::from_secs(1),
            Script::Trickle => Duration::from_millis(1),
            Script::Steady
            | Script::Strict
            | Script::Cached
            | Script::Tool
            | Script::LateReset
            | Script::Stall
            | Script::Silent
            | Script::Reset
            | Script::Truncate
            | Script::Liar
            | Script::Nousage
            | Script::Plain
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
