//! The dashboard's routes: the real router and a real database; the kill switch is a double, a unix socket that
//! speaks `kill_wire`'s lines with answers set by the test.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod access;
mod act;
mod api;
mod authenticator;
mod blind;
mod config;
mod feeds;
mod fleet;
mod guests;
mod house;
mod keeper;
mod kept;
mod live;
mod looked;
mod mesh;
mod mesh_service;
mod page;
mod passkeys;
mod past;
mod record;
mod sessions;
mod sign_in;
mod spend;
mod stop;
mod tokens;
mod twins;
