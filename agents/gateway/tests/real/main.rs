//! The gateway with real sockets on every side: a scripted upstream, clients of our own, and its control socket.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod access_log;
mod apis;
mod capturing;
mod control;
mod cutting;
mod explaining;
mod http2;
mod limiting;
mod meeting;
mod metering;
mod passing;
mod probing;
mod realtime;
mod runaways;
mod support;
mod telemetry;
