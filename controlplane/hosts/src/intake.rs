//! Who takes the reports in. This crate carries them and judges none.

use bytes::Bytes;
use kill_wire::Timestamp;
use net_model::{Dial, HostName, ReportsAnswer, ZoneName};
use std::net::IpAddr;

/// Whom a connection belongs to. Nothing of it was said in a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reporter {
    /// The host of the certificate.
    pub host: HostName,
    /// Where it stands.
    pub zone: ZoneName,
    /// The other end of the connection.
    pub address: IpAddr,
    /// Who opened it.
    pub dial: Dial,
    /// When its newest certificate ends.
    pub certificate_ends: Option<Timestamp>,
}

/// Takes reports in. The inventory is one; a test's own list another.
pub trait Intake: Send + Sync + 'static {
    /// Takes a batch, a report a line, that came from this host and from nobody else. The error is in how many seconds to come
    /// again: then the host keeps all of it.
    fn reports(
        &self,
        from: Reporter,
        lines: Bytes,
        now: Timestamp,
    ) -> impl Future<Output = Result<ReportsAnswer, u32>> + Send;

    /// Up to where the reports of a host that is dialled are kept.
    fn through(&self, host: &HostName) -> u64;

    /// A host has joined: its reports may be numbered from the beginning.
    fn joined(&self, host: HostName, now: Timestamp) -> impl Future<Output = ()> + Send;
}
