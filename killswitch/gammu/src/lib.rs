//! What gammu-smsd's `RunOnReceive` says of a message, taken from its environment and put in one bounded line.
//!
//! Nothing here starts a process, and nothing of a message ever stands on a command line.

mod environment;

pub use environment::{NothingReceived, Notice};

/// Longest line the courier reads from this helper, in bytes.
pub const MAX_NOTICE_LINE: usize = 64 * 1024;

/// What the courier answers when it has the message.
pub const ACKNOWLEDGED: &str = "ok";
