//! Looks at the host: reads what its kernel and services say, and keeps the reports that nobody has taken yet.
//!
//! Blocking calls only, for threads of their own: no disk, mount or service that hangs may reach what carries out orders.

mod ask;
mod buffer;
mod canary;
mod child;
mod clock;
mod patient;
mod reporter;
mod runtime_helper;
mod settings;
mod texts;
mod watcher;

pub use buffer::{Buffer, Found};
pub use canary::CanaryProber;
pub use host_core::canary::{BadPlan, Canary, CanaryPlan};
pub use reporter::{EVERY, Reporter, Surroundings};
pub use runtime_helper::{EngineSettings, Helper, HelperServer, HelperSettings};
pub use settings::{Settings, WatchedGateway};
pub use watcher::{Besides, Watcher};
