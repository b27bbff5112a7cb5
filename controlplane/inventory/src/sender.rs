//! Who a report comes from, and what is answered.

use kill_wire::Timestamp;
use net_model::{Dial, HostName, RefusedReport, ZoneName};
use std::net::IpAddr;
use std::time::Duration;

/// What the connection shows of whoever sends reports. Nothing of it was said in a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// The host its certificate names.
    pub host: HostName,
    /// The zone its certificate names.
    pub zone: ZoneName,
    /// The other end of the connection.
    pub address: IpAddr,
    /// Who opened it.
    pub dial: Dial,
    /// When the certificate ends.
    pub certificate_ends: Option<Timestamp>,
}

/// What became of one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It will be written down.
    Kept {
        /// Its number.
        seq: u64,
    },
    /// The same report was taken before; its answer was lost.
    Known {
        /// Its number.
        seq: u64,
    },
    /// It is not taken, now or later.
    Refused(RefusedReport),
    /// This host has sent too much; it may come again with it later.
    Later,
}

/// Nothing of the batch was taken: come again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotNow {
    /// After how long.
    pub retry_after: Duration,
}
