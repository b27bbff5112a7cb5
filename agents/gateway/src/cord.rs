//! The cord of a client connection: the sweep cuts it, whoever runs on the connection feels it.

use crate::{deny::Denied, round::Round};
use rustix::net::connect_unspec;
use std::sync::{
    Arc, OnceLock, Weak,
    atomic::{AtomicBool, Ordering},
};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

/// The cord of one client connection. HTTP/1 carries one exchange at a time, so one cut token serves both; a
/// connection that was cut always ends.
#[derive(Debug, Default)]
pub(crate) struct Cord {
    cut: CancellationToken,
    why: OnceLock<Denied>,
    /// The sweep that cut it, with all others that it cut.
    round: OnceLock<Arc<Round>>,
    told: AtomicBool,
    gone: CancellationToken,
    /// The client's socket, for whoever cuts while the connection's own thread is held up.
    socket: OnceLock<Weak<TcpStream>>,
}

impl Cord {
    /// Cuts what runs on this connection; false when it was cut before.
    pub(crate) fn sever(&self, why: Denied) -> bool {
        let first = self.why.set(why).is_ok();
        self.cut.cancel();
        first
    }

    /// The same in a sweep.
    pub(crate) fn sever_in(&self, round: &Arc<Round>, why: Denied) -> bool {
        let first = self.why.set(why).is_ok();
        if first {
            round.joined();
            self.round.get_or_init(|| Arc::clone(round));
        }
        self.cut.cancel();
        first
    }

    /// Fires when the connection is cut.
    pub(crate) fn cut(&self) -> &CancellationToken {
        &self.cut
    }

    /// Why it was cut, once it was.
    pub(crate) fn why(&self) -> Option<&Denied> {
        self.why.get()
    }

    /// What the client of a cut exchange is told.
    pub(crate) fn refusal(&self) -> Denied {
        self.why().cloned().unwrap_or(Denied::Draining)
    }

    /// Nothing more goes out on the connection.
    pub(crate) fn goes(&self) {
        if let Some(round) = self.round.get()
            && !self.told.swap(true, Ordering::AcqRel)
        {
            round.told();
        }
        self.gone.cancel();
    }

    /// Waits until the others of its sweep were told as well; not long, and not at all where there was none.
    pub(crate) async fn others_are_told(&self) {
        if let Some(round) = self.round.get() {
            round.all_told().await;
        }
    }

    /// Fires when nothing more goes out on the connection.
    pub(crate) fn gone(&self) -> &CancellationToken {
        &self.gone
    }

    /// What is said on this connection leaves by `socket`.
    pub(crate) fn leads_to(&self, socket: &Arc<TcpStream>) {
        self.socket.get_or_init(|| Arc::downgrade(socket));
    }

    /// What is said here leaves by the same socket as what is said on `other`.
    pub(crate) fn leads_with(&self, other: &Self) {
        if let Some(socket) = other.socket.get() {
            self.socket.get_or_init(|| Weak::clone(socket));
        }
    }

    /// Resets the client's socket from any thread: what the kernel still holds is discarded (connect(2): no address
    /// dissolves the connection). Nothing more goes out after this.
    pub(crate) fn reset(&self) {
        let Some(socket) = self.socket.get() else {
            return;
        };
        match socket.upgrade().map(connect_unspec) {
            None | Some(Ok(())) => self.goes(),
            Some(Err(error)) => tracing::error!(%error, "A cut connection could not be reset."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::ErrorKind;
    use tokio::{io::AsyncReadExt as _, net::TcpListener};

    #[tokio::test]
    async fn a_stream_among_others_resets_the_socket_they_share() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let mut client = TcpStream::connect(addr).await.unwrap();
        let socket = Arc::new(listener.accept().await.unwrap().0);
        let (carrier, stream) = (Cord::default(), Cord::default());
        carrier.leads_to(&socket);
        stream.leads_with(&carrier);
        stream.reset();
        assert!(stream.gone().is_cancelled());
        let read = client.read(&mut [0]).await;
        assert_eq!(read.unwrap_err().kind(), ErrorKind::ConnectionReset);
        // Long gone: nothing is left to reset.
        drop(socket);
        carrier.reset();
        assert!(carrier.gone().is_cancelled());
    }

    #[test]
    fn nothing_is_called_gone_whose_socket_is_not_known() {
        let cord = Cord::default();
        cord.reset();
        assert!(!cord.gone().is_cancelled());
    }
}
