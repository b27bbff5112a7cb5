//! The APISIX that drivers are tested with: the twin, or a real one where `PORTCULLIS_TEST_APISIX_ADMIN` and its
//! companions name it (docs/apisix.md). `admin` and `data` hold either to the same checks; the rest is about the twin.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod admin;
mod data;
mod faults;
mod lags;
mod peer;
mod standalone;
mod telling;
