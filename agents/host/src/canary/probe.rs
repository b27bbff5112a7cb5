//! One try, and what it came to.

use host_core::canary::datagram::{MAX_ANSWER, answered, opening, question};
use kill_wire::Reached;
use net_model::ProbeTarget;
use rustix::net::sockopt::set_socket_linger;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

/// Most datagrams that are read in wait for the right one.
const STRAYS: u32 = 8;

/// Tries it, for at most about `limit`.
pub(super) fn reach(target: &ProbeTarget, limit: Duration) -> Reached {
    let tried = match target {
        ProbeTarget::Tcp(address) => connect(*address, limit),
        ProbeTarget::Udp(address) => ask(
            *address,
            limit,
            |id| opening(address.port(), id),
            |_, _| Some(Reached::Open),
        ),
        ProbeTarget::Dns { resolver, name } => {
            let name = name.as_deref();
            ask(
                *resolver,
                limit,
                |id| question(name, id),
                |bytes, id| answered(bytes, name, id),
            )
        }
    };
    tried.unwrap_or_else(|why| refused(&why))
}

fn connect(address: SocketAddr, limit: Duration) -> io::Result<Reached> {
    let stream = TcpStream::connect_timeout(&address, limit)?;
    // A reset in place of an orderly close: nothing is left waiting on either side.
    set_socket_linger(&stream, Some(Duration::ZERO))?;
    Ok(Reached::Open)
}

fn ask(
    address: SocketAddr,
    limit: Duration,
    bytes: impl Fn(u16) -> Vec<u8>,
    judge: impl Fn(&[u8], u16) -> Option<Reached>,
) -> io::Result<Reached> {
    let own: SocketAddr = match address {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(own)?;
    // Connected: only the answer of this address is heard, and what its network says of it.
    socket.connect(address)?;
    socket.set_read_timeout(Some(limit))?;
    // The port is drawn by the kernel; together with the address it tells answers apart well enough for a try.
    let id = socket.local_addr()?.port();
    socket.send(&bytes(id))?;
    let mut answer = [0; MAX_ANSWER];
    for _ in 0..STRAYS {
        let length = socket.recv(&mut answer)?;
        if let Some(found) = judge(answer.get(..length).unwrap_or_default(), id) {
            return Ok(found);
        }
    }
    Ok(Reached::Silent)
}

/// Whether an error says that the way is closed, that nobody answered, or only that this host could not try.
fn refused(why: &io::Error) -> Reached {
    let silent = [ErrorKind::TimedOut, ErrorKind::WouldBlock];
    let closed = [
        ErrorKind::ConnectionRefused,
        ErrorKind::ConnectionReset,
        ErrorKind::ConnectionAborted,
        ErrorKind::HostUnreachable,
        ErrorKind::NetworkUnreachable,
        // This host's own firewall drops what goes out.
        ErrorKind::PermissionDenied,
    ];
    if silent.contains(&why.kind()) {
        Reached::Silent
    } else if closed.contains(&why.kind()) {
        Reached::Refused
    } else {
        Reached::Untried
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::thread;

    const LIMIT: Duration = Duration::from_secs(5);
    const SHORT: Duration = Duration::from_millis(100);

    fn here() -> SocketAddr {
        (Ipv4Addr::LOCALHOST, 0).into()
    }

    /// Answers one datagram with what `reply` makes of it.
    fn answering(
        reply: impl Fn(&[u8]) -> Vec<Vec<u8>> + Send + 'static,
    ) -> (SocketAddr, thread::JoinHandle<()>) {
        let socket = UdpSocket::bind(here()).unwrap();
        let address = socket.local_addr().unwrap();
        let served = thread::spawn(move || {
            let mut asked = [0; 512];
            let (length, from) = socket.recv_from(&mut asked).unwrap();
            for bytes in reply(&asked[..length]) {
                socket.send_to(&bytes, from).unwrap();
            }
        });
        (address, served)
    }

    #[test]
    fn a_connection_is_open_and_nothing_is_sent_over_it() {
        let listener = TcpListener::bind(here()).unwrap();
        let target = ProbeTarget::Tcp(listener.local_addr().unwrap());
        assert_eq!(reach(&target, LIMIT), Reached::Open);
        let (mut stream, _) = listener.accept().unwrap();
        let read = io::Read::read(&mut stream, &mut [0; 16]);
        assert!(read.is_err() || read.is_ok_and(|count| count == 0));
    }

    #[test]
    fn a_closed_port_refuses_and_a_silent_one_is_silent() {
        let closed = TcpListener::bind(here()).unwrap().local_addr().unwrap();
        assert_eq!(reach(&ProbeTarget::Tcp(closed), LIMIT), Reached::Refused);
        let closed = UdpSocket::bind(here()).unwrap().local_addr().unwrap();
        assert_eq!(reach(&ProbeTarget::Udp(closed), LIMIT), Reached::Refused);
        let silent = UdpSocket::bind(here()).unwrap();
        let target = ProbeTarget::Udp(silent.local_addr().unwrap());
        assert_eq!(reach(&target, SHORT), Reached::Silent);
    }

    #[test]
    fn a_datagram_that_is_answered_is_open() {
        let (address, served) = answering(|_| vec![b"here".to_vec()]);
        assert_eq!(reach(&ProbeTarget::Udp(address), LIMIT), Reached::Open);
        served.join().unwrap();
    }

    #[test]
    fn a_resolver_is_open_when_it_answers_the_question_and_only_then() {
        let answer = |flags: u8, code: u8, answers: u8| {
            move |asked: &[u8]| {
                let mut stray = asked.to_vec();
                stray[0] ^= 0xff;
                stray[2] = 0x81;
                let mut reply = asked.to_vec();
                (reply[2], reply[3], reply[7]) = (flags, code, answers);
                vec![stray, b"?".to_vec(), reply]
            }
        };
        for (name, code, answers, found) in [
            (None, 0x85, 0, Reached::Open),
            (Some("example.org"), 0x80, 1, Reached::Open),
            (Some("example.org"), 0x83, 0, Reached::Refused),
        ] {
            let (resolver, served) = answering(answer(0x81, code, answers));
            let name = name.map(str::to_owned);
            assert_eq!(reach(&ProbeTarget::Dns { resolver, name }, LIMIT), found);
            served.join().unwrap();
        }
        let (resolver, served) = answering(answer(0x01, 0, 1));
        let name = None;
        assert_eq!(
            reach(&ProbeTarget::Dns { resolver, name }, SHORT),
            Reached::Silent
        );
        served.join().unwrap();
    }

    #[test]
    fn what_this_host_cannot_try_is_never_taken_for_closed() {
        let busy = io::Error::from_raw_os_error(24);
        assert_eq!(refused(&busy), Reached::Untried);
        let none = io::Error::from(ErrorKind::AddrNotAvailable);
        assert_eq!(refused(&none), Reached::Untried);
    }
}
