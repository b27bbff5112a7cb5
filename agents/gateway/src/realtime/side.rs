//! One side of a session: its WebSocket, and whether somebody is still there.

use bytes::Bytes;
use futures_util::{Sink as _, Stream as _};
use std::{
    pin::Pin,
    task::{Context, Poll},
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error, Message,
        protocol::{CloseFrame, Role, WebSocketConfig},
    },
};

/// Longest message and longest frame; OpenAI takes up to 15 MiB of sound in one.
const MAX_MESSAGE: usize = 16 * 1024 * 1024;
/// Bytes of the read buffer; and what is to be written waits for more up to here, while more is there.
const BUFFER: usize = 16 * 1024;
/// Beats without a sign of life after which a side counts as gone.
pub(super) const BEATS: u8 = 2;

/// Why no more messages come.
#[derive(Debug)]
pub(super) enum Gone {
    /// It said so.
    Said(Option<CloseFrame>),
    /// It broke off, or broke the rules.
    Broke(Error),
}

/// One side. No more than one message and a buffer wait for it.
#[derive(Debug)]
pub(super) struct Side<S> {
    pub(super) socket: WebSocketStream<S>,
    /// Something came since the last beat.
    heard: bool,
    /// Something could have come: it is read from, and has sent nothing more.
    awaited: bool,
    /// Beats in a row without a sign of life.
    missed: u8,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Side<S> {
    /// `early`: what came on `io` after the handshake.
    pub(super) async fn new(io: S, early: Bytes, role: Role) -> Self {
        let bounds = WebSocketConfig::default()
            .read_buffer_size(BUFFER)
            .write_buffer_size(BUFFER)
            .max_message_size(Some(MAX_MESSAGE))
            .max_frame_size(Some(MAX_MESSAGE));
        Self {
            socket: WebSocketStream::from_partially_read(io, early.into(), role, Some(bounds))
                .await,
            heard: false,
            awaited: false,
            missed: 0,
        }
    }

    /// The next message. Pings are answered beneath, and are signs of life like pongs.
    pub(super) fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Result<Message, Gone>> {
        loop {
            let Poll::Ready(next) = Pin::new(&mut self.socket).poll_next(cx) else {
                self.awaited = true;
                return Poll::Pending;
            };
            self.heard = true;
            return Poll::Ready(match next {
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => continue,
                Some(Ok(Message::Close(word))) => Err(Gone::Said(word)),
                Some(Ok(message)) => Ok(message),
                Some(Err(error)) => Err(Gone::Broke(error)),
                None => Err(Gone::Said(None)),
            });
        }
    }

    /// Nothing is read from it now: its silence is ours.
    pub(super) const fn leave_waiting(&mut self) {
        self.awaited = false;
    }

    /// Whether it takes another message.
    pub(super) fn has_room(&mut self, cx: &mut Context<'_>) -> Result<bool, Error> {
        match Pin::new(&mut self.socket).poll_ready(cx) {
            Poll::Ready(ready) => ready.map(|()| true),
            Poll::Pending => Ok(false),
        }
    }

    /// Hands it a message, for which it has room.
    pub(super) fn put(&mut self, message: Message) -> Result<(), Error> {
        Pin::new(&mut self.socket).start_send(message)
    }

    /// Writes what was put, as far as it is taken now.
    pub(super) fn flush(&mut self, cx: &mut Context<'_>) -> Result<(), Error> {
        match Pin::new(&mut self.socket).poll_flush(cx) {
            Poll::Ready(flushed) => flushed,
            Poll::Pending => Ok(()),
        }
    }

    /// Asks for a sign of life; false when none came for too long.
    pub(super) fn beat(&mut self, cx: &mut Context<'_>) -> Result<bool, Error> {
        let missing = self.awaited && !self.heard;
        self.missed = if missing { self.missed + 1 } else { 0 };
        self.heard = false;
        if self.missed >= BEATS {
            return Ok(false);
        }
        if self.has_room(cx)? {
            self.put(Message::Ping(Bytes::new()))?;
            self.flush(cx)?;
        }
        Ok(true)
    }
}
