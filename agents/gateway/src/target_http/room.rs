//! Where bytes are read to: one room for each thread, so that a connection that waits holds none.

use super::Socket;
use std::{
    cell::RefCell,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead as _, ReadBuf};

/// Bytes of one read at most: a stream at full speed passes in few large pieces.
const ROOM: usize = 64 * 1024;

thread_local! {
    static READ: RefCell<Box<[u8]>> = RefCell::new(vec![0; ROOM].into_boxed_slice());
}

/// Reads what is there, and lets `then` look at it; nothing when the other side has closed.
pub(super) fn read<T>(
    socket: &mut Socket,
    cx: &mut Context<'_>,
    then: impl FnOnce(&mut [u8]) -> T,
) -> Poll<io::Result<T>> {
    READ.with_borrow_mut(|room| {
        let mut read = ReadBuf::new(room);
        ready!(Pin::new(socket).poll_read(cx, &mut read))?;
        Poll::Ready(Ok(then(read.filled_mut())))
    })
}
