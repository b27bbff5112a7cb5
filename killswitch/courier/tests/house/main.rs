//! Channels of the house itself: gammu-smsd's folders and a modem on a private bus, with the kill switch's end of the
//! socket played by the test.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod gammu;
mod kill_switch;
mod modem;
mod modem_manager;
