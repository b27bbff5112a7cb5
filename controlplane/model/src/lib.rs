//! Value types of the house: routes, targets, consumers, overlay, usage. Parsed once, valid for ever.
//!
//! No IO. Whoever holds one of these need not check it again.

mod address;
mod exchange;
mod overlay;
mod secret;
mod snapshot;
mod table;
mod usage;

pub use address::{BaseUrl, NotABaseUrl};
pub use exchange::{Ended, ExchangeView};
pub use overlay::{ControlReply, ControlRequest, Observed, Overlay, Overruled};
pub use secret::{KeyHash, Secret, SecretError};
pub use snapshot::{GatewayFacts, Snapshot};
pub use table::{Consumer, MAX_ENTRIES, ModelPattern, Problem, Route, RouteTable, Target};
pub use usage::{UsageRecord, UsageTotals};
