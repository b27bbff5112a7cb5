//! The client's socket: bounded in what it holds back, and reset when its exchange was cut and cannot end cleanly.

use crate::line::Line;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use socket2::{SockRef, TcpKeepalive};
use std::{
    io,
    net::Shutdown,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, Interest, ReadBuf},
    net::TcpStream,
};

/// Bytes the kernel may hold for a client that does not read; it doubles the figure.
const SEND_BUFFER: usize = 64 * 1024;
const KEEPALIVE: Duration = Duration::from_secs(30);

/// A client's socket.
#[derive(Debug)]
pub(crate) struct Wire {
    /// Shared with the line's cord alone, which may reset it.
    stream: Arc<TcpStream>,
    line: Arc<Line>,
    /// The kernel calls the socket writable only when nothing is unsent.
    watching: bool,
}

impl Wire {
    /// Takes a fresh socket.
    pub(crate) fn new(stream: TcpStream, line: Arc<Line>) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        let socket = SockRef::from(&stream);
        socket.set_send_buffer_size(SEND_BUFFER)?;
        socket.set_tcp_keepalive(
            &TcpKeepalive::new()
                .with_time(KEEPALIVE)
                .with_interval(KEEPALIVE),
        )?;
        let stream = Arc::new(stream);
        line.cord().leads_to(&stream);
        Ok(Self {
            stream,
            line,
            watching: false,
        })
    }

    /// Asks the kernel to call the socket writable only when nothing written is still unsent, or no longer.
    pub(crate) fn watch_unsent(&self, watch: bool) {
        // Zero stands for what the system does otherwise.
        let _best_effort = SockRef::from(&*self.stream).set_tcp_notsent_lowat(watch.into());
    }

    /// Whether everything written has left this host; needs [`Self::watch_unsent`] first.
    pub(crate) fn all_sent(&self) -> bool {
        let mut fds = [PollFd::new(&*self.stream, PollFlags::OUT)];
        poll(&mut fds, Some(&Timespec::default())).is_ok_and(|ready| ready > 0)
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.line.wants_reset() {
            // Closing now discards what the kernel still holds, so that nothing more reaches the client.
            let _best_effort = self.stream.set_zero_linger();
        }
    }
}

/// Reads once; `None` when nothing is there. Less than there is room for means that no more is there now: the next look
/// waits for the kernel's word in place of asking it in vain.
fn read(stream: &TcpStream, buf: &mut ReadBuf<'_>) -> Option<io::Result<()>> {
    let room = buf.remaining();
    let mut some = false;
    let outcome = stream.try_io(Interest::READABLE, || {
        let came = stream.try_read_buf(buf)?;
        some = 0 < came && came < room;
        if some {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(())
    });
    if some {
        return Some(Ok(()));
    }
    unless_full(outcome)
}

/// `None` when the kernel had no room, or nothing, after all.
fn unless_full<T>(outcome: io::Result<T>) -> Option<io::Result<T>> {
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
        outcome => Some(outcome),
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            ready!(self.stream.poll_read_ready(cx))?;
            if let Some(outcome) = read(&self.stream, buf) {
                return Poll::Ready(outcome);
            }
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.stream.poll_write_ready(cx))?;
            if let Some(outcome) = unless_full(self.stream.try_write(buf)) {
                return Poll::Ready(outcome);
            }
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.stream.poll_write_ready(cx))?;
            if let Some(outcome) = unless_full(self.stream.try_write_vectored(bufs)) {
                return Poll::Ready(outcome);
            }
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // HTTP calls this only when its own buffer is empty: the kernel has everything.
        let strict = self.line.is_strict();
        if strict != self.watching {
            self.watching = strict;
            self.watch_unsent(strict);
        }
        if strict && !self.all_sent() {
            // Who asks for this looks again by itself.
            return Poll::Pending;
        }
        self.line.flushed();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(SockRef::from(&*self.stream).shutdown(Shutdown::Write))
    }
}
