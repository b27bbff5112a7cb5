//! The socket to a target, with TLS where its base URL asks for it.

use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_util::either::Either;

/// A socket to a target: left as the network carries it, right within TLS.
pub(crate) type Socket = Either<TcpStream, Box<TlsStream<TcpStream>>>;

/// Idle until now on another lane, whose thread would be woken for it. Within TLS that cannot be changed.
pub(super) fn moved_here(socket: Socket) -> Option<Socket> {
    match socket {
        Either::Left(tcp) => {
            let tcp = TcpStream::from_std(tcp.into_std().ok()?);
            tcp.ok().map(Either::Left)
        }
        Either::Right(_) => Some(socket),
    }
}
