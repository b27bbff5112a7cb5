//! The client's side of a connection: plain, or TLS over it.

use crate::wire::Wire;
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;

/// What HTTP is spoken over: left as the network carries it, right within TLS.
pub(crate) type Leg = Either<Wire, Box<TlsStream<Wire>>>;

/// The socket below.
pub(crate) fn wire(leg: &Leg) -> &Wire {
    match leg {
        Either::Left(wire) => wire,
        Either::Right(tls) => tls.get_ref().0,
    }
}
