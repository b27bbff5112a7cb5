//! One stream of a connection of HTTP/2: one exchange.

use crate::{app::App, http1::CUT_GRACE, inflow::Inflow, line::Line, proxies, reply::Reply, serve};
use bytes::Bytes;
use h2::{Reason, RecvStream, SendStream, server::SendResponse};
use http::{Request, Response, header};
use http_body_util::BodyExt as _;
use hyper::body::Body as _;
use std::{
    future::poll_fn,
    io,
    net::IpAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
};
use tokio::{
    sync::Notify,
    time::{sleep, timeout},
};

/// Holds the other streams of a connection back while what was cut leaves.
#[derive(Debug, Default)]
pub(super) struct Gate {
    shut: AtomicBool,
    opened: Notify,
}

impl Gate {
    /// Shuts or opens it.
    pub(super) fn shut(&self, shut: bool) {
        if self.shut.swap(shut, Ordering::AcqRel) && !shut {
            self.opened.notify_waiters();
        }
    }

    async fn pass(&self) {
        loop {
            let opened = self.opened.notified();
            if !self.shut.load(Ordering::Acquire) {
                return;
            }
            opened.await;
        }
    }
}

/// Nothing more goes out on a line when this is dropped.
struct Open(Option<Arc<Line>>);

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(line) = self.0.take() {
            line.closed();
        }
    }
}

/// Answers; the line comes back when its last word is with the connection.
pub(super) async fn run(
    app: &Arc<App>,
    (carrier, gate): (&Line, &Gate),
    peer: IpAddr,
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
) -> Arc<Line> {
    let line = Arc::new(Line::default());
    line.cord().leads_with(carrier.cord());
    let mut open = Open(Some(Arc::clone(&line)));
    if let Some(response) = answer(app, &line, peer, request, &mut respond).await {
        let (mut head, body) = response.into_parts();
        // A word of HTTP/1; here it would make the answer malformed (RFC 9113, 8.2.2).
        head.headers.remove(header::CONNECTION);
        let over = body.is_end_stream();
        let out = respond.send_response(Response::from_parts(head, ()), over);
        if let (Ok(mut out), false) = (out, over) {
            pass(gate, &line, &mut out, body).await;
        }
    } else {
        respond.send_reset(Reason::CANCEL);
    }
    open.0 = None;
    line
}

/// The answer, unless the client took its question back, or a cut was not felt in time.
async fn answer(
    app: &Arc<App>,
    line: &Arc<Line>,
    peer: IpAddr,
    request: Request<RecvStream>,
    respond: &mut SendResponse<Bytes>,
) -> Option<Response<Reply>> {
    let length = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse().ok());
    let request = request.map(|body| Inflow::Many(body, length));
    let request = proxies::with_client(app, peer, request);
    let overdue = async {
        line.cord().cut().cancelled().await;
        sleep(CUT_GRACE).await;
    };
    tokio::select! {
        biased;
        response = serve::answer(app, line, request) => Some(response),
        _ = poll_fn(|cx| respond.poll_reset(cx)) => None,
        () = overdue => None,
    }
}

/// Passes an answer's body on, as fast as the client takes it.
async fn pass(gate: &Gate, line: &Line, out: &mut SendStream<Bytes>, mut body: Reply) {
    loop {
        // Before there is room for it no piece is asked for: a slow client slows the target.
        if !has_room(gate, line, out).await {
            if line.cord().why().is_some() {
                let _in_time = timeout(CUT_GRACE, last_words(out, body)).await;
            }
            return;
        }
        let Some(piece) = next(out, &mut body).await else {
            return;
        };
        match piece {
            Some(Ok(data)) => {
                let over = body.is_end_stream();
                if !send(gate, line, out, data, over).await {
                    // Within a piece no other word can stand.
                    drop(body);
                    out.send_reset(Reason::CANCEL);
                    return;
                }
                if over {
                    return;
                }
            }
            Some(Err(_)) => {
                let why = if line.cord().why().is_some() {
                    Reason::CANCEL
                } else {
                    Reason::INTERNAL_ERROR
                };
                out.send_reset(why);
                return;
            }
            None => {
                let _gone_already = out.send_data(Bytes::new(), true);
                return;
            }
        }
    }
}

/// The next piece; the outer `None` when the client took its question back.
async fn next(out: &mut SendStream<Bytes>, body: &mut Reply) -> Option<Option<io::Result<Bytes>>> {
    loop {
        let frame = poll_fn(|cx| {
            if out.poll_reset(cx).is_ready() {
                return Poll::Ready(None);
            }
            Pin::new(&mut *body).poll_frame(cx).map(Some)
        })
        .await?;
        match frame.transpose() {
            // Trailers are about another connection.
            Ok(Some(frame)) => {
                if let Ok(data) = frame.into_data() {
                    return Some(Some(Ok(data)));
                }
            }
            Ok(None) => return Some(None),
            Err(error) => return Some(Some(Err(error))),
        }
    }
}

/// Waits until the client takes more; false when a cut came first, or the client left.
async fn has_room(gate: &Gate, line: &Line, out: &mut SendStream<Bytes>) -> bool {
    let room = async {
        gate.pass().await;
        out.reserve_capacity(1);
        while out.capacity() == 0 {
            match poll_fn(|cx| out.poll_capacity(cx)).await {
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return false,
            }
        }
        true
    };
    let had = line.cord().cut().run_until_cancelled(room).await;
    had.unwrap_or_default()
}

/// Sends one piece as the client takes it; false when a cut came first, or the client left.
async fn send(
    gate: &Gate,
    line: &Line,
    out: &mut SendStream<Bytes>,
    mut data: Bytes,
    over: bool,
) -> bool {
    // What a cut itself has to say is short, and goes at once or not at all.
    if line.cord().why().is_some() {
        return send_now(out, data, over);
    }
    loop {
        out.reserve_capacity(data.len());
        let part = data.split_to(out.capacity().min(data.len()));
        let last = data.is_empty();
        if out.send_data(part, over && last).is_err() {
            return false;
        }
        if last {
            return true;
        }
        out.reserve_capacity(data.len());
        if !has_room(gate, line, out).await {
            return false;
        }
    }
}

fn send_now(out: &mut SendStream<Bytes>, data: Bytes, over: bool) -> bool {
    out.reserve_capacity(data.len());
    out.capacity() >= data.len() && out.send_data(data, over).is_ok()
}

/// What is left to say after a cut, when it can be said at once.
async fn last_words(out: &mut SendStream<Bytes>, mut body: Reply) {
    while let Some(frame) = body.frame().await {
        let Some(data) = frame.ok().and_then(|frame| frame.into_data().ok()) else {
            out.send_reset(Reason::CANCEL);
            return;
        };
        let over = body.is_end_stream();
        if !send_now(out, data, over) {
            out.send_reset(Reason::CANCEL);
            return;
        }
        if over {
            return;
        }
    }
    let _gone_already = out.send_data(Bytes::new(), true);
}
