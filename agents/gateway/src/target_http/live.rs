//! A connection to a target, and the way to an answer's head on it.

use super::{Broken, Flow, Pool, Question, Socket, flow::Arrived, room};
use gateway_core::answer::{Head, HeadReader, NotUnderstood};
use http::{Response, response::Parts};
use net_model::Server;
use std::{
    future::poll_fn,
    io::{self, ErrorKind},
    task::{Context, Poll, Waker},
};

/// A connection to a target.
#[derive(Debug)]
pub(crate) struct Live {
    pub(super) socket: Socket,
    /// Where it leads.
    server: Server,
    pool: Pool,
}

impl Live {
    /// A connection that will idle among those to `server`.
    pub(crate) fn new(socket: Socket, server: Server, pool: &Pool) -> Self {
        Self {
            socket,
            server,
            pool: pool.clone(),
        }
    }

    /// Asks, and waits for the head of the answer. It may come before everything was written: a target that refuses a
    /// long body says so early.
    pub(crate) async fn send(self, question: Question) -> Result<(Parts, Flow), Broken> {
        let reader = HeadReader::new(question.asked());
        let mut asking = Asking {
            live: self,
            unsent: Some(question),
            reader,
            heard: false,
        };
        let begun = poll_fn(|cx| asking.poll(cx)).await?;
        Ok(asking.answered(begun))
    }

    /// The answer was read to its end.
    pub(super) fn park(mut self) {
        if is_quiet(&mut self.socket) {
            self.pool.park(self.server, self.socket);
        }
    }
}

/// Whether a socket is open and nothing stands unread on it. Wakes nobody afterwards.
pub(super) fn is_quiet(socket: &mut Socket) -> bool {
    room::read(socket, &mut Context::from_waker(Waker::noop()), |_| ()).is_pending()
}

/// A head, and what came with its end.
struct Begun {
    head: Head,
    arrived: Arrived,
}

/// A question whose answer has not begun.
struct Asking {
    live: Live,
    unsent: Option<Question>,
    reader: HeadReader,
    /// A byte of an answer has come.
    heard: bool,
}

impl Asking {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Begun, Broken>> {
        let unsent = self.unsent.as_mut();
        let sent = unsent.map(|question| question.poll_write(&mut self.live.socket, cx));
        if let Some(Poll::Ready(_)) = &sent {
            self.unsent = None;
        }
        loop {
            match room::read(&mut self.live.socket, cx, |bytes| {
                read(&mut self.reader, bytes)
            }) {
                Poll::Ready(Ok(Read::Begun(begun))) => return Poll::Ready(Ok(*begun)),
                Poll::Ready(Ok(Read::More)) => self.heard = true,
                Poll::Ready(Ok(Read::NotUnderstood(why))) => return Poll::Ready(Err(why.into())),
                Poll::Ready(Ok(Read::Nothing)) => {
                    return self.ended(ErrorKind::UnexpectedEof.into());
                }
                Poll::Ready(Err(error)) => return self.ended(error),
                // Who cannot be written to any more may still have said why. Here he has not.
                Poll::Pending => match sent {
                    Some(Poll::Ready(Err(error))) => return self.ended(error),
                    _ => return Poll::Pending,
                },
            }
        }
    }

    fn ended(&self, error: io::Error) -> Poll<Result<Begun, Broken>> {
        Poll::Ready(Err(Broken::ended(error, self.heard)))
    }

    fn answered(self, begun: Begun) -> (Parts, Flow) {
        let Begun { head, arrived } = begun;
        let (mut parts, ()) = Response::new(()).into_parts();
        (parts.status, parts.version, parts.headers) = (head.status, head.version, head.headers);
        // Who refuses wants no more of the question (RFC 9112 section 9.5).
        let refuses = parts.status.is_client_error() || parts.status.is_server_error();
        let abandoned = refuses && self.unsent.is_some();
        let flow = Flow {
            live: self.live,
            body: head.body,
            first: arrived.first,
            behind: arrived.behind,
            unsent: self.unsent.filter(|_| !refuses),
            keeps: head.keeps && !abandoned,
        };
        (parts, flow)
    }
}

/// What a look at some bytes has found.
enum Read {
    Nothing,
    /// The head goes on.
    More,
    Begun(Box<Begun>),
    NotUnderstood(NotUnderstood),
}

fn read(reader: &mut HeadReader, bytes: &mut [u8]) -> Read {
    if bytes.is_empty() {
        return Read::Nothing;
    }
    match begun(reader, bytes) {
        Ok(Some(begun)) => Read::Begun(Box::new(begun)),
        Ok(None) => Read::More,
        Err(why) => Read::NotUnderstood(why),
    }
}

fn begun(reader: &mut HeadReader, bytes: &mut [u8]) -> Result<Option<Begun>, NotUnderstood> {
    let Some((mut head, at)) = reader.read(bytes)? else {
        return Ok(None);
    };
    let rest = bytes.get_mut(at..).unwrap_or_default();
    let arrived = Arrived::read(&mut head.body, rest)?;
    Ok(Some(Begun { head, arrived }))
}
