//! One socket to the kernel, held open: a cut costs no process, no file and no name.

use crate::answer::{Answer, DONE, ERROR, answers, attribute, attributes, of_netfilter};
use crate::element::{Element, Set};
use crate::message::{
    DATA_VALUE, DUMP, ELEMENT_KEY, ELEMENT_LIST, ELEMENT_TABLE, ELEMENT_TIMEOUT, GET_CHAIN,
    GET_ELEMENT, GET_GENERATION, GET_RULE, Messages,
};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, Protocol, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, send,
    socket_with, sockopt,
};
use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::time::Duration;

/// The kernel answers within microseconds, unless another program holds the rules: then this ends the wait.
const LIMIT: Duration = Duration::from_millis(250);
/// Larger than any answer the kernel puts into one piece (32 KiB for a list).
const PIECE: usize = 64 * 1024;
/// Most that one listing may bring.
const MOST_LISTED: usize = 4 * 1024 * 1024;

/// Why the kernel did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NetlinkError {
    #[error("no netlink socket: {0}")]
    NoSocket(Errno),
    #[error("cannot ask the kernel: {0}")]
    Unasked(Errno),
    #[error("the kernel did not answer within {LIMIT:?}")]
    Silent,
    #[error("the kernel refused: {0}")]
    Refused(Errno),
    #[error("the kernel's list is too long")]
    TooLong,
}

/// The socket.
#[derive(Debug)]
pub(crate) struct Netlink {
    socket: OwnedFd,
    seq: u32,
    buffer: Vec<u8>,
}

impl Netlink {
    /// To nftables.
    pub(crate) fn netfilter() -> Result<Self, NetlinkError> {
        Self::open(netlink::NETFILTER)
    }

    /// To a family of the kernel.
    pub(crate) fn open(family: Protocol) -> Result<Self, NetlinkError> {
        let (kind, flags) = (SocketType::RAW, SocketFlags::CLOEXEC);
        let socket = socket_with(AddressFamily::NETLINK, kind, flags, Some(family))
            .map_err(NetlinkError::NoSocket)?;
        let limit = Some(LIMIT);
        for which in [sockopt::Timeout::Recv, sockopt::Timeout::Send] {
            sockopt::set_socket_timeout(&socket, which, limit).map_err(NetlinkError::NoSocket)?;
        }
        Ok(Self {
            socket,
            seq: 1,
            buffer: vec![0; PIECE],
        })
    }

    /// Puts these elements in force, all or none, and waits until the kernel has said so of each message.
    pub(crate) fn put(&mut self, table: &str, elements: &[Element]) -> Result<(), NetlinkError> {
        let batch = Messages::batch(self.seq, table, elements);
        let (acks, mut done) = (batch.acks, 0);
        let mut refused = None;
        self.ask(batch, |answer| {
            if answer.kind != ERROR {
                return false;
            }
            match answer.errno() {
                Some(0) => done += 1,
                Some(errno) => refused = refused.or(Some(Errno::from_raw_os_error(errno))),
                None => {}
            }
            // A refusal may be all that is said of a batch.
            done == acks || refused.is_some()
        })?;
        refused.map_or(Ok(()), |errno| Err(NetlinkError::Refused(errno)))
    }

    /// A number that changes with every change that anybody makes to any rule.
    pub(crate) fn generation(&mut self) -> Result<u32, NetlinkError> {
        let mut found = None;
        let ask = Messages::get(self.seq, GET_GENERATION, 0, "", None);
        self.ask(ask, |answer| {
            let value = of_netfilter(answer.body).find(|(kind, _)| *kind == 1);
            found = value
                .and_then(|(_, value)| value.first_chunk::<4>())
                .map(|value| u32::from_be_bytes(*value));
            true
        })?;
        found.ok_or(NetlinkError::Silent)
    }

    /// Every chain and rule of the table as the kernel lists them; what was put there once compares equal.
    pub(crate) fn rules(&mut self, table: &str) -> Result<Vec<u8>, NetlinkError> {
        let mut all = Vec::new();
        for what in [GET_CHAIN, GET_RULE] {
            self.list(what, table, None, |body| {
                let of = of_netfilter(body).find(|(kind, _)| *kind == ELEMENT_TABLE);
                if of.is_some_and(|(_, name)| name.strip_suffix(&[0]) == Some(table.as_bytes())) {
                    // The first four bytes hold the number of changes so far.
                    all.extend(body.get(4..).unwrap_or_default());
                }
            })?;
        }
        Ok(all)
    }

    /// The elements of one set, each with whether it ends by itself.
    pub(crate) fn elements(
        &mut self,
        table: &str,
        set: Set,
    ) -> Result<Vec<(IpAddr, bool)>, NetlinkError> {
        let mut keys = Vec::new();
        self.list(GET_ELEMENT, table, Some(set), |body| {
            let lists = of_netfilter(body).filter(|(kind, _)| *kind == ELEMENT_LIST);
            for (_, entry) in lists.flat_map(|(_, list)| attributes(list)) {
                let ends = attribute(entry, ELEMENT_TIMEOUT).is_some();
                let key = attribute(entry, ELEMENT_KEY).and_then(key);
                keys.extend(key.map(|key| (key, ends)));
            }
        })?;
        Ok(keys)
    }

    fn list(
        &mut self,
        what: u16,
        table: &str,
        set: Option<Set>,
        mut each: impl FnMut(&[u8]),
    ) -> Result<(), NetlinkError> {
        let ask = Messages::get(self.seq, what, DUMP, table, set);
        let (mut outcome, mut listed) = (Ok(()), 0);
        self.ask(ask, |answer| {
            listed += answer.body.len();
            if answer.interrupted() {
                outcome = Err(NetlinkError::Refused(Errno::INTR));
            }
            match answer.kind {
                ERROR | DONE => {
                    let errno = answer.errno().filter(|errno| *errno != 0);
                    if let Some(errno) = errno {
                        outcome = Err(NetlinkError::Refused(Errno::from_raw_os_error(errno)));
                    }
                    return true;
                }
                _ if listed > MOST_LISTED => {
                    outcome = Err(NetlinkError::TooLong);
                    return true;
                }
                _ => each(answer.body),
            }
            false
        })?;
        outcome
    }

    /// A message with the next number, to be asked with [`Netlink::ask`].
    pub(crate) fn message(&self, kind: u16, flags: u16, body: &[u8]) -> Messages {
        Messages::plain(self.seq, kind, flags, body)
    }

    /// Sends, and hands every answer to it over until `last` says that this was the last.
    pub(crate) fn ask(
        &mut self,
        messages: Messages,
        mut last: impl FnMut(Answer<'_>) -> bool,
    ) -> Result<(), NetlinkError> {
        let first = self.seq;
        self.seq = messages.next;
        let sent = send(&self.socket, &messages.bytes, SendFlags::empty());
        sent.map_err(NetlinkError::Unasked)?;
        loop {
            let received = recv(&self.socket, self.buffer.as_mut_slice(), RecvFlags::empty());
            let length = match received {
                Ok((_, length)) => length,
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => return Err(NetlinkError::Silent),
                Err(errno) => return Err(NetlinkError::Unasked(errno)),
            };
            let bytes = self.buffer.get(..length).unwrap_or_default();
            // What belongs to an earlier question came late: nobody waits for it any more.
            let ours = |answer: &Answer<'_>| {
                answer.seq.wrapping_sub(first) < messages.next.wrapping_sub(first)
            };
            if answers(bytes).into_iter().filter(ours).any(&mut last) {
                return Ok(());
            }
        }
    }
}

fn key(nested: &[u8]) -> Option<IpAddr> {
    let value = attribute(nested, DATA_VALUE)?;
    let v4 = <[u8; 4]>::try_from(value).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(value).map(IpAddr::from))
        .ok()
}
