//! A kill switch on loopback, its sockets, and whoever speaks to them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "whatever else is answered fails the test"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "the other side has a clock of its own"
)]

mod courier;
mod drill;
mod flood;
mod gateway;
mod house;
mod inbound;
mod others;
mod proof;
mod watched;
