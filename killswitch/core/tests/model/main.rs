#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking, and says what it counted"
)]
//! The rules against a second, much simpler statement of them, and against crowds: many orders of arrival, many
//! replays, many ways to mistype, many guesses.

mod flood;
mod guesses;
mod house;
mod interleavings;
mod mangled;
mod reference;
mod replays;
