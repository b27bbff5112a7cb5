//! The client's socket: bounded in what it holds back, and reset when its exchange was cut and cannot end cleanly.

use crate::line::Line;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use socket2::{SockRef, TcpKeepalive};
use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// Bytes the kernel may hold for a client that does not read; it doubles the figure.
const SEND_BUFFER: usize = 64 * 1024;
const KEEPALIVE: Duration = Duration::from_secs(30);

/// A client's socket.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: TcpStream,
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
        Ok(Self {
            stream,
            line,
            watching: false,
        })
    }

    /// Asks the kernel to call the socket writable only when nothing written is still unsent, or no longer.
    pub(crate) fn watch_unsent(&self, watch: bool) {
        // Zero stands for what the system does otherwise.
        let _best_effort = SockRef::from(&self.stream).set_tcp_notsent_lowat(watch.into());
    }

    /// Whether everything written has left this host; needs [`Self::watch_unsent`] first.
    pub(crate) fn all_sent(&self) -> bool {
        let mut fds = [PollFd::new(&self.stream, PollFlags::OUT)];
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

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
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

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
