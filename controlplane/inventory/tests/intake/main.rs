//! Reports as hosts send them, into a real database.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod house;
mod liar;
mod order;
