//! Hosts join, report, renew, are called and are shut out: the control plane's half and the host's half over real sockets.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod dialled;
mod hostile;
mod house;
mod joining;
mod reporting;
mod updating;
