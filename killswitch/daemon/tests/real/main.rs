//! A kill switch on loopback, its sockets, and whoever speaks to them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod courier;
mod gateway;
mod house;
mod inbound;
mod proof;
