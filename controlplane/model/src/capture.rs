//! Bodies that are written down for a while, because a person asked for it.

use kill_wire::{Name, Timestamp};
use serde::{Deserialize, Serialize};

/// What is to be captured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaptureAsk {
    /// Whose exchanges.
    pub consumer: Name,
    /// Only those that ask for this model.
    #[serde(default)]
    pub model: Option<String>,
    /// For how long, in seconds.
    pub seconds: u64,
    /// At most so many bytes of bodies.
    pub max_bytes: u64,
    /// Who asks for it.
    pub by: String,
}

/// A capture that runs, or that was just ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaptureView {
    /// Whose exchanges.
    pub consumer: Name,
    /// Only those that ask for this model.
    pub model: Option<String>,
    /// Who asked for it.
    pub by: String,
    /// When it ends by itself, at the latest.
    pub until: Timestamp,
    /// The file, on the gateway's host.
    pub path: String,
    /// Exchanges in it so far.
    pub exchanges: u64,
    /// Bytes of bodies it may still take.
    pub bytes_left: u64,
}
