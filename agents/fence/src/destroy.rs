//! Ends connections of this host in the kernel (`SOCK_DESTROY`, `linux/sock_diag.h`, `linux/inet_diag.h`): whoever holds
//! one learns at once that it is gone, where a drop alone would leave him waiting for minutes.

use crate::answer::{Answer, DONE, ERROR};
use crate::message::{ACK, DUMP, REQUEST};
use crate::netlink::{Netlink, NetlinkError};
use crate::plan::{Flow, Way};
use rustix::io::Errno;
use rustix::net::netlink::SOCK_DIAG;
use std::net::{IpAddr, Ipv6Addr};

const BY_FAMILY: u16 = 20;
const DESTROY: u16 = 21;
pub(crate) const INET: u8 = 2;
pub(crate) const INET6: u8 = 10;
pub(crate) const TCP: u8 = 6;
const UDP: u8 = 17;
/// Every state of TCP that has two ends, but for those that only wait to be forgotten; for UDP: connected.
const OPEN_TCP: u32 = 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 8 | 1 << 9;
const OPEN_UDP: u32 = 1 << 1;
/// Most that are ended in one go; each takes some microseconds.
pub(crate) const MOST: usize = 8192;
/// `struct inet_diag_sockid` of nobody in particular.
const ANYBODY: [u8; 48] = [0; 48];

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Ended {
    /// Each as `tcp 10.0.0.2 40000 10.0.0.1 443`.
    pub(crate) ended: Vec<String>,
    pub(crate) failed: Option<String>,
}

/// A socket as the kernel names it.
#[derive(Clone, Debug)]
pub(crate) struct Socket {
    family: u8,
    id: Vec<u8>,
    pub(crate) local: (IpAddr, u16),
    remote: (IpAddr, u16),
}

/// Ends every connection but those within this host and those that the way keeps.
pub(crate) fn connections(way: &Way) -> Ended {
    let mut ended = Ended::default();
    let mut kernel = match Netlink::open(SOCK_DIAG) {
        Ok(kernel) => kernel,
        Err(why) => {
            ended.failed = Some(why.to_string());
            return ended;
        }
    };
    for (family, protocol, word) in [
        (INET, TCP, "tcp"),
        (INET6, TCP, "tcp"),
        (INET, UDP, "udp"),
        (INET6, UDP, "udp"),
    ] {
        let sockets = match list(&mut kernel, family, protocol, &ANYBODY) {
            Ok(sockets) => sockets,
            Err(why) => {
                ended.failed = Some(format!("{word}: {why}"));
                continue;
            }
        };
        for socket in sockets.iter().filter(|socket| !stays(way, socket)) {
            match destroy(&mut kernel, socket, protocol) {
                Ok(()) => ended.ended.push(socket.words(word)),
                // Gone by itself in between.
                Err(NetlinkError::Refused(Errno::NOENT)) => {}
                Err(why) => ended.failed = Some(format!("{word}: {why}")),
            }
        }
    }
    ended
}

/// The first [`MOST`] whose ports are those of `like`, where it names any.
pub(crate) fn list(
    kernel: &mut Netlink,
    family: u8,
    protocol: u8,
    like: &[u8; 48],
) -> Result<Vec<Socket>, NetlinkError> {
    let states = if protocol == TCP { OPEN_TCP } else { OPEN_UDP };
    let body = request(family, protocol, states, like);
    let ask = kernel.message(BY_FAMILY, REQUEST | DUMP, &body);
    let (mut found, mut outcome) = (Vec::new(), Ok(()));
    kernel.ask(ask, |answer| {
        if matches!(answer.kind, ERROR | DONE) {
            outcome = refused(&answer);
            return true;
        }
        if found.len() < MOST {
            found.extend(Socket::read(answer.body));
        }
        false
    })?;
    outcome.map(|()| found)
}

pub(crate) fn destroy(
    kernel: &mut Netlink,
    socket: &Socket,
    protocol: u8,
) -> Result<(), NetlinkError> {
    let body = request(socket.family, protocol, 0, &socket.id);
    let ask = kernel.message(DESTROY, REQUEST | ACK, &body);
    let mut outcome = Ok(());
    kernel.ask(ask, |answer| {
        outcome = refused(&answer);
        true
    })?;
    outcome
}

fn refused(answer: &Answer<'_>) -> Result<(), NetlinkError> {
    match answer.errno() {
        None | Some(0) => Ok(()),
        Some(errno) => Err(NetlinkError::Refused(Errno::from_raw_os_error(errno))),
    }
}

/// `struct inet_diag_req_v2`.
fn request(family: u8, protocol: u8, states: u32, id: &[u8]) -> Vec<u8> {
    let mut body = vec![family, protocol, 0, 0];
    body.extend(states.to_ne_bytes());
    body.extend(id);
    body
}

impl Socket {
    /// `struct inet_diag_msg`: four bytes, then the 48 of `struct inet_diag_sockid`.
    fn read(body: &[u8]) -> Option<Self> {
        let family = *body.first()?;
        let id = body.get(4..52)?;
        let address = |at: usize| -> Option<IpAddr> {
            let bytes = id.get(at..at + 16)?.first_chunk::<16>()?;
            if family == INET {
                return Some(IpAddr::from(*bytes.first_chunk::<4>()?));
            }
            // A socket of the newer family may speak the older one.
            Some(Ipv6Addr::from(*bytes).to_canonical())
        };
        let port = |at: usize| Some(u16::from_be_bytes(*id.get(at..)?.first_chunk::<2>()?));
        Some(Self {
            family,
            local: (address(4)?, port(0)?),
            remote: (address(20)?, port(2)?),
            id: id.to_vec(),
        })
    }

    fn words(&self, protocol: &str) -> String {
        let ((from, own), (to, other)) = (self.local, self.remote);
        format!("{protocol} {from} {own} {to} {other}")
    }
}

fn stays(way: &Way, socket: &Socket) -> bool {
    let ((_, own), (peer, port)) = (socket.local, socket.remote);
    let kept = |flow: &Flow| match *flow {
        Flow::From(from, open) => from == peer && open == own,
        Flow::To(to, open) => to == peer && open == port,
    };
    peer.is_loopback() || peer.is_unspecified() || way.flows.iter().any(kept)
}
