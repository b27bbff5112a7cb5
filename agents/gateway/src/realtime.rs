//! Sessions of OpenAI's realtime API: a WebSocket to the client, one to the target, and between them the admission,
//! the meter and the cord of every other exchange. A session is one exchange.
//!
//! Source: <https://platform.openai.com/docs/guides/realtime-websocket>.

mod bridge;
mod ending;
mod handshake;
mod side;

use crate::{
    account::Account,
    app::App,
    attempt::{Answered, Outcome, attempt},
    deny::Denied,
    detour::FALLBACK_HEADER,
    exchange, headers,
    http1::{CLOSE_GRACE, CUT_GRACE, close},
    inflow::Inflow,
    leg::Leg,
    line::Line,
    named::Named,
    registry::Exchange,
    reply::Reply,
    target_http::Socket,
    targets::Seat,
    upstream::{Ask, Upstreams},
};
use bridge::Bridge;
use bytes::Bytes;
use ending::{End, Farewell};
use futures_util::SinkExt as _;
use gateway_core::{choice::Failure, usage::Form};
use handshake::{Offer, Ours};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use net_model::{Api, Target};
use side::{Gone, Side};
use std::{future::poll_fn, sync::Arc, task::Poll, time::Duration};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout_at},
};
use tokio_tungstenite::tungstenite::Message;

/// Most sessions at once: each may hold a long message for each side, read and to be written, 64 MiB at worst.
const MAX_SESSIONS: usize = 32;

/// Room for sessions.
#[derive(Debug)]
pub(crate) struct Rooms(Arc<Semaphore>);

impl Default for Rooms {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MAX_SESSIONS)))
    }
}

/// Answers a client that asks for a session.
pub(crate) async fn call(
    app: &Arc<App>,
    line: &Arc<Line>,
    named: &Named,
    mut request: Request<Inflow>,
) -> Result<Response<Reply>, Denied> {
    handshake::find_key(request.headers_mut());
    exchange::call(app, line, (Api::Realtime, named), request).await
}

/// A client's handshake that was found good, and room for its session.
#[derive(Debug)]
pub(crate) struct Opening {
    offer: Offer,
    room: OwnedSemaphorePermit,
}

impl Opening {
    /// Reads the handshake.
    pub(crate) fn read<B>(app: &App, request: &Request<B>) -> Result<Self, Denied> {
        let offer = Offer::read(request)?;
        let room = Arc::clone(&app.rooms.0).try_acquire_owned();
        Ok(Self {
            offer,
            room: room.map_err(|_| Denied::Busy)?,
        })
    }

    /// A target has switched: so does the client's connection, as soon as the answer has gone out on it.
    pub(crate) fn switch(self, line: &Line, opened: Opened<'_>) -> Response<Reply> {
        let Opened {
            answered,
            target,
            seat,
            fallback,
            model,
            mut account,
            exchange,
        } = opened;
        let mut passed = headers::for_client(
            answered.head.headers,
            target,
            account.id(),
            account.asked_as(),
        );
        account.tell_rates(&mut passed);
        if let Some(fallback) = fallback {
            passed.insert(FALLBACK_HEADER, fallback);
        }
        self.offer.answer(&mut passed);
        account.answered(answered.head.status.as_u16(), Form::Session);
        let (socket, early) = answered.flow.switched();
        line.switch_to(Session {
            socket,
            early,
            idle: target.timeouts.idle,
            sent: target.model(&model).to_owned(),
            asked: model,
            account,
            held: Held {
                seat,
                _exchange: exchange,
                _room: self.room,
            },
        });
        let mut response = Response::new(Reply::Whole(Full::default()));
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        *response.headers_mut() = passed;
        response
    }
}

/// What a target that switched has opened.
#[derive(Debug)]
pub(crate) struct Opened<'a> {
    pub(crate) answered: Answered,
    pub(crate) target: &'a Target,
    pub(crate) seat: Seat,
    pub(crate) fallback: Option<HeaderValue>,
    /// As the client calls it.
    pub(crate) model: String,
    pub(crate) account: Account,
    pub(crate) exchange: Exchange,
}

/// A session whose target has switched, while the client's side is still HTTP.
#[derive(Debug)]
pub(crate) struct Session {
    socket: Socket,
    /// What the target sent right after its head.
    early: Bytes,
    /// Longest silence of either side.
    idle: Duration,
    /// The model as the client calls it.
    asked: String,
    /// The same as the target does.
    sent: String,
    account: Account,
    held: Held,
}

/// What a session has until both of its sides are gone: a cut finds it for so long.
#[derive(Debug)]
struct Held {
    seat: Seat,
    _exchange: Exchange,
    _room: OwnedSemaphorePermit,
}

/// Serves a session on a client's connection, which no longer speaks HTTP, to its end. `early`: what came on it after
/// the handshake.
pub(crate) async fn serve(
    app: &App,
    line: &Arc<Line>,
    leg: Leg,
    early: Bytes,
    session: Box<Session>,
) {
    let (mut bridge, mut held) = Bridge::new(line, leg, early, *session).await;
    let Some(end) = bridge.run(app).await else {
        return;
    };
    let cut = matches!(end, End::Severed(_));
    let grace = if cut { CUT_GRACE } else { CLOSE_GRACE };
    let limit = Instant::now() + grace;
    let Bridge {
        client,
        target,
        mut account,
        ..
    } = bridge;
    let Farewell {
        to_client,
        to_target,
        ended,
        failure,
    } = end.farewell(account.is_quiet());
    // Without a word for the target its socket is closed here and now.
    let target = to_target.map(|word| (target, word));
    if let Some(failure) = failure {
        held.seat.failed(failure);
    }
    if let Some(ended) = ended {
        account.ended(ended, None);
    }
    drop(account);
    let leaves_target = async {
        if let Some((mut target, word)) = target {
            let _late = timeout_at(limit, target.socket.close(Some(word))).await;
        }
    };
    tokio::join!(leave(client, line, to_client, limit, cut), leaves_target);
}

/// Tells the client, and closes its connection: in order as far as it takes that by `limit`, else by a reset.
async fn leave(mut client: Side<Leg>, line: &Line, words: Vec<Message>, limit: Instant, cut: bool) {
    let said = timeout_at(limit, async {
        for word in words {
            client.socket.feed(word).await?;
        }
        client.socket.flush().await
    });
    if said.await.is_err() {
        line.ask_reset();
        return;
    }
    if !cut {
        // The client's own word, so that it is the one who closes.
        let until_gone = poll_fn(|cx| match client.poll_message(cx) {
            Poll::Ready(Err(Gone::Said(_) | Gone::Broke(_))) => Poll::Ready(()),
            Poll::Ready(Ok(_)) => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Poll::Pending => Poll::Pending,
        });
        let _late = timeout_at(limit, until_gone).await;
    }
    close(client.socket.into_inner(), line, cut.then_some(limit)).await;
}

/// Asks one target for a session.
pub(crate) async fn dial(upstreams: &Upstreams, mut ask: Ask<'_>, seat: &mut Seat) -> Outcome {
    let ours = Ours::write(&mut ask.headers);
    let answered = match attempt(upstreams, &ask, true, seat).await {
        Outcome::Serves(answered) => answered,
        failed @ (Outcome::Unable(..) | Outcome::Failed(_)) => return failed,
    };
    match answered.head.status {
        StatusCode::SWITCHING_PROTOCOLS if ours.is_agreed(&answered.head.headers) => {
            Outcome::Serves(answered)
        }
        StatusCode::SWITCHING_PROTOCOLS => {
            seat.failed(Failure::BrokenOff);
            Outcome::Failed(Failure::BrokenOff)
        }
        // A server that knows no sessions is well for everything else: its breaker is not told.
        StatusCode::FORBIDDEN
        | StatusCode::NOT_FOUND
        | StatusCode::METHOD_NOT_ALLOWED
        | StatusCode::UPGRADE_REQUIRED => Outcome::Unable(answered, Failure::Status),
        status if status.is_client_error() => Outcome::Serves(answered),
        _ => Outcome::Failed(Failure::Status),
    }
}
