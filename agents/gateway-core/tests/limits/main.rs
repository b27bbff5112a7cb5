//! Budgets and limits against a plain model, and the stories they are for.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bench;
mod model;
mod stories;
mod support;
