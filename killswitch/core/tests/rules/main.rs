#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking"
)]
//! The rules of codes, order, throttle and replies, each at instants of the test's choice.

mod bounds;
mod by_text;
mod check_in;
mod duress;
mod guesses;
mod guessing;
mod house;
mod kill;
mod late;
mod orders;
mod people;
mod properties;
mod replies;
mod restore;
mod senders;
mod two_person;
mod vouch;
