//! Looks at the host: reads what its kernel and services say, and keeps the reports that nobody has taken yet.
//!
//! Blocking calls only, for a thread of its own: no disk, mount or service that hangs may reach what carries out orders.

mod buffer;
mod canary;

pub use buffer::{Buffer, Found};
pub use canary::CanaryProber;
