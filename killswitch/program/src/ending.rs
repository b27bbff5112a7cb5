//! How a program ends that could not go on.

use kill_config::{BAD_CONFIG, BadConfig};
use std::process::ExitCode;

/// Exit status for what went wrong: 64 for a configuration that cannot be used, 1 for anything else.
#[must_use]
pub fn status(why: &anyhow::Error) -> ExitCode {
    let config = why.downcast_ref::<BadConfig>().is_some();
    ExitCode::from(if config { BAD_CONFIG } else { 1 })
}
