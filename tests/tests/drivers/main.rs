//! One story that every driver lives through, told to real gateways over loopback; what each alone can do wrong; random walks
//! of faults; and what the kill switch says in the end.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod ask;
#[path = "../apisix_walk/chance.rs"]
mod chance;
mod claims;
mod litellm;
mod nginx;
mod story;
