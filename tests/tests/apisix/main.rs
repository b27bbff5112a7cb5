//! The driver of APISIX against the twin: cuts, restores, what is kept, and whatever can go wrong meanwhile.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod besides;
mod cutting;
mod health;
mod house;
mod keeping;
mod standalone;
mod streams;
mod trouble;
