//! Providers outside the house, each played by a server of the test on loopback, written from the vendor's published
//! interface; the kill switch's end of the socket is played by the test, too. What the vendors' own SDKs send for the same
//! texts is compared in `tests/stories/test_courier.py`.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking"
)]

mod link;
mod ntfy;
mod provider;
mod replies;
mod sqs;
mod switch;
mod telegram;
mod trouble;
