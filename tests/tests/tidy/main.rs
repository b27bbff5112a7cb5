//! The rules of this workspace that no compiler checks: who may know whom, how long the red path is, how files are named.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod claims;
mod directions;
mod files;
mod outside;
mod red_path;
mod tree;
mod words;
