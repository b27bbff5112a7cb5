#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
//! The mesh over real sockets: a service of this machine and a coordination server that answer what is written beside.

mod control;
mod fake;
mod keeper;
mod local;
mod oracle;
mod whois;
