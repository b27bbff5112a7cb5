//! A configuration that cannot be used.

use crate::problem::Problem;
use std::{fmt, path::PathBuf};

/// Exit status for a configuration that cannot be used (`EX_USAGE` of sysexits.h, as service managers expect).
pub const BAD_CONFIG: u8 = 64;

/// Everything wrong with a configuration, at once.
#[derive(Debug)]
pub struct BadConfig {
    /// The file; `None` for the built-in values.
    pub file: Option<PathBuf>,
    /// Never empty.
    pub problems: Vec<Problem>,
}

impl fmt::Display for BadConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.problems.len();
        let noun = if count == 1 { "problem" } else { "problems" };
        match &self.file {
            Some(file) => write!(f, "{}: {count} {noun}", file.display())?,
            None => write!(f, "configuration: {count} {noun}")?,
        }
        for problem in &self.problems {
            write!(f, "\n  {problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for BadConfig {}
