//! What a start is to do, decided before anything is opened.

use crate::config::Config;
use crate::paths::{Home, Part};
use std::path::PathBuf;

/// What a start is given.
pub(super) struct Plan {
    pub(super) home: Home,
    pub(super) file: Option<PathBuf>,
    pub(super) config: Config,
    pub(super) parts: Vec<Part>,
    /// Whether the courier runs here, if a channel has work for one.
    pub(super) courier: bool,
    /// Whether the built-in demo model may stand in.
    pub(super) demo: bool,
}
