//! Two kill switches of one house: either may cut, and nothing opens that no restore has seen.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod interleavings;
mod people;
mod real;
mod world;
