//! The control plane's database: usage taken from the gateways' spools, what gateways noticed,
//! signed-in browsers, and the record of what people changed.
//!
//! All SQL of the project stands in this crate, one file per table group. SQLite in WAL mode: one connection
//! writes, a few read.
//!
//! What is absent: latches and the journal. They are plain files of the kill switch, so that a cut never waits
//! for a database, and a damaged database never opens anything.

mod alerts;
mod changes;
mod columns;
mod consumers;
mod counted;
mod driving;
mod error;
mod host_history;
mod host_list;
mod host_reports;
mod hosts;
mod jobs;
mod migrations;
mod open;
mod passkeys;
mod provider_sessions;
mod remarks;
mod sessions;
mod stories;
mod tokens;
mod usage;
mod usage_sides;

pub use alerts::AlertMark;
pub use changes::{ChangeRow, ChangesCheck, NewChange};
pub use consumers::ConsumerSeen;
pub use counted::{CountedRow, Counters, Counting};
pub use driving::Driving;
pub use error::StoreError;
pub use host_list::{HostHealth, HostLine, HostQuery, ZoneCount};
pub use host_reports::{HostPoint, ReportBatch, ReportMark, SeenModel};
pub use hosts::{CertificateRecord, HostRecord, HostState, Invitation, KnownHost};
pub use open::Store;
pub use passkeys::{PasskeyOwner, PasskeyRecord};
pub use provider_sessions::ProviderPart;
pub use sessions::{NewSession, PasskeyPart, Session};
pub use stories::{MOST_STORIES, StoryMark};
pub use tokens::TokenRecord;
pub use usage::{ConsumerUsage, Cursor, Spending, hour_start};
pub use usage_sides::Answered;
