//! What gateways that are not ours tell of their usage, as lines of the ledger. Pure: bytes and `now` in, records out.
//!
//! A feed says what was used, never what it cost: prices are the house's own ([`prices`]), so that one ledger adds up. A
//! row that cannot be understood is passed over and counted; the rest of its batch counts.
//!
//! What is absent: knowing a row again. The ledger does, by source and call: see `store::Store::take_in`.

mod apisix;
mod call;
mod counted;
mod figures;
mod litellm;
mod rows;

pub use counted::{CountedLine, Grew, Known, Whose, counted};
pub use litellm::{Page, spend_page};
pub use rows::NotUsage;

use kill_wire::{Name, Timestamp};
use net_model::UsageRecord;
use prices::Prices;

/// Most rows of one batch.
pub const MAX_ROWS: usize = 1000;

/// Longest batch in bytes. LiteLLM's rows are 10 kB each without a word of what was said, and it sends 512 at a time.
pub const MAX_BYTES: usize = 8 << 20;

/// Who sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// LiteLLM: its `generic_api` callback.
    /// <https://docs.litellm.ai/docs/observability/generic_api>
    Litellm,
    /// Apache APISIX: its `http-logger` plugin with the log format that `docs/metering.md` gives.
    /// <https://apisix.apache.org/docs/apisix/plugins/http-logger/>
    Apisix,
}

impl Kind {
    /// All of them, as the configuration names them.
    pub const ALL: [(&'static str, Self); 2] =
        [("litellm", Self::Litellm), ("apisix", Self::Apisix)];
}

/// What rows are read with.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'a> {
    /// Whose they are; stands where a row names no consumer or target.
    pub source: &'a Name,
    /// What models cost.
    pub prices: &'a Prices,
    /// No row is of later than this.
    pub now: Timestamp,
}

/// One batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fed {
    /// One for each call; its id is the call's own, without the source.
    pub records: Vec<UsageRecord>,
    /// Rows that are no calls, or that cannot be understood.
    pub passed_over: usize,
}

/// Reads a batch: an array of rows, one row, or a row a line.
///
/// # Errors
/// When it is no JSON, or has more than [`MAX_ROWS`] rows.
pub fn read(kind: Kind, body: &[u8], with: &Reading<'_>) -> Result<Fed, NotUsage> {
    let rows = rows::split(body)?;
    let count = rows.len();
    let record = |row: &&serde_json::value::RawValue| match kind {
        Kind::Litellm => litellm::record(row.get(), with),
        Kind::Apisix => apisix::record(row.get(), with),
    };
    let records: Vec<UsageRecord> = rows.iter().filter_map(record).collect();
    let passed_over = count - records.len();
    Ok(Fed {
        records,
        passed_over,
    })
}
