//! One story that every driver lives through, told to real gateways over loopback; and what nginx alone can do wrong.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod ask;
mod nginx;
mod story;
