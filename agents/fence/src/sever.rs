//! Ends what is connected to ports of this host, whoever the peer is: the streams of a gateway that goes on with what it
//! has begun, whatever it refuses anew.

use crate::destroy::{INET, INET6, MOST, Socket, TCP, destroy, list};
use crate::netlink::{Netlink, NetlinkError};
use rustix::io::Errno;
use rustix::net::netlink::SOCK_DIAG;
use std::io;
use std::net::{Ipv4Addr, TcpListener, TcpStream};

/// The kernel lists [`MOST`] at a time; this often it is asked for more.
const ROUNDS: u32 = 8;

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Severed {
    /// Connections that were ended: both ends learn of it at once.
    pub ended: u32,
    /// Connections that go on.
    pub failed: u32,
    /// Whether the kernel refused because this process may not (`CAP_NET_ADMIN`).
    pub denied: bool,
    /// Why connections go on, or could not even be listed.
    pub why: Option<String>,
}

impl Severed {
    /// Whether nothing goes on.
    #[must_use]
    pub const fn whole(&self) -> bool {
        self.failed == 0 && self.why.is_none()
    }

    fn missed(&mut self, why: &NetlinkError) {
        self.denied |= *why == NetlinkError::Refused(Errno::PERM);
        self.why = Some(why.to_string());
    }
}

/// Ends every TCP connection whose port on this host is one of these, its own to itself included. Sockets that listen stay.
///
/// Blocks for some microseconds each connection; the kernel's silence ends it after a quarter of a second each question.
#[must_use]
pub fn sever(ports: &[u16]) -> Severed {
    let mut done = Severed::default();
    let mut kernel = match Netlink::open(SOCK_DIAG) {
        Ok(kernel) => kernel,
        Err(why) => {
            done.missed(&why);
            return done;
        }
    };
    for port in ports {
        for family in [INET, INET6] {
            of_port(&mut kernel, family, *port, &mut done);
        }
    }
    done
}

/// Whether this process may end connections: it ends one of its own, on loopback.
///
/// # Errors
/// With why not, in a few words.
pub fn may_sever() -> Result<(), String> {
    let own = || {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let at = listener.local_addr()?;
        Ok((TcpStream::connect(at)?, listener, at.port()))
    };
    let (_client, _listener, port) = own().map_err(|why: io::Error| why.to_string())?;
    let done = sever(&[port]);
    match done.why {
        Some(why) => Err(why),
        None if done.ended == 0 => Err("the kernel ended nothing".to_owned()),
        None => Ok(()),
    }
}

fn of_port(kernel: &mut Netlink, family: u8, port: u16, done: &mut Severed) {
    for _ in 0..ROUNDS {
        let found = match list(kernel, family, TCP, &on(port)) {
            Ok(found) => found,
            Err(why) => return done.missed(&why),
        };
        let (more, before) = (found.len() >= MOST, done.failed);
        for socket in found.iter().filter(|socket| socket.local.1 == port) {
            end(kernel, socket, done);
        }
        if !more || done.failed > before {
            return;
        }
    }
    done.why = Some(format!("more connections to port {port} than can be ended"));
}

fn end(kernel: &mut Netlink, socket: &Socket, done: &mut Severed) {
    match destroy(kernel, socket, TCP) {
        Ok(()) => done.ended += 1,
        // Gone by itself in between.
        Err(NetlinkError::Refused(Errno::NOENT)) => {}
        Err(why) => {
            done.failed += 1;
            done.missed(&why);
        }
    }
}

/// `struct inet_diag_sockid` of whoever has this port on our side.
fn on(port: u16) -> [u8; 48] {
    let mut id = [0; 48];
    if let Some(first) = id.first_chunk_mut() {
        *first = port.to_be_bytes();
    }
    id
}
