//! What a buffer of reports looks like on the disk, and what of it goes when there is no more room.
//!
//! The file is a header of two slots, written in turn, and frames one after another: single reports as they came,
//! and batches of them deflated together (one report is much like the one before it).

mod frame;
mod header;
mod thin;

pub use frame::{Frame, FrameKind, MAX_PAYLOAD, NotAFrame, PREFIX_BYTES};
pub use header::{HEADER_BYTES, Header, SLOT_BYTES};
pub use thin::{KEEP_ONE_OF, deflated, inflated, thin, with_gap};

use net_model::report::Report;
use sha2::{Digest as _, Sha256};

/// Reports that are deflated together: enough to save most of their bytes, few enough to unpack in little memory.
pub const BATCH: usize = 24;
/// Bytes of single reports after which they are deflated, however few they are.
pub const BATCH_BYTES: u64 = 256 * 1024;

/// The first eight bytes of SHA-256: enough against bits that a disk lost. Nobody is kept out by it.
fn check(parts: &[&[u8]]) -> [u8; 8] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    let whole: [u8; 32] = hash.finalize().into();
    let mut first = [0; 8];
    first.copy_from_slice(whole.first_chunk::<8>().unwrap_or(&[0; 8]));
    first
}

/// The sequence number of a report's line; none when it is not a report.
#[must_use]
pub fn seq_of(line: &[u8]) -> Option<u64> {
    Report::parse(line).ok().map(|report| report.seq)
}
