//! Who takes the reports in. This crate carries them and judges none.

use bytes::Bytes;
use kill_wire::Timestamp;
use net_model::HostName;

/// What became of one report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is kept, or was already.
    Kept {
        /// Its number.
        seq: u64,
    },
    /// It will never be kept.
    Refused {
        /// Its number, where one could be read.
        seq: Option<u64>,
        /// Why.
        why: String,
    },
    /// Not now: the host keeps it and comes again.
    Busy,
}

/// Takes reports in. The inventory is one; a test's own list another.
pub trait Intake: Send + Sync + 'static {
    /// Takes one line that came from this host, and from nobody else.
    fn take(
        &self,
        from: HostName,
        line: Bytes,
        now: Timestamp,
    ) -> impl Future<Output = Taken> + Send;
}
