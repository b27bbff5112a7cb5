//! A real node agent keeps and steers the twin of an APISIX: two scripted servers stand behind it, one in the house and
//! one outside.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod closed;
mod house;
mod turns;
