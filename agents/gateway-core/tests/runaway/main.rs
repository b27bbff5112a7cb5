//! Replays made-up days of a house on a virtual clock: normal traffic trips nothing, loops trip soon and cheaply.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod house;
mod loops;
mod replay;
mod talk;
