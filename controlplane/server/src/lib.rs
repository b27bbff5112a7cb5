//! The `portcullis` program: configuration, first start, command line, and the wiring of the four parts.
//!
//! Nothing is decided here. Whether a code is good is `kill-core`'s matter, what a cut closes the gateway's.

mod capture;
mod cli;
mod clock;
mod codes;
mod config;
mod control;
mod demo_model;
mod enrol;
mod explain;
mod export;
mod fleet;
mod greeting;
mod hosts;
mod house;
mod http;
mod import;
mod incidents;
mod journal;
mod lever;
mod lock;
mod mesh;
mod office;
mod out;
mod paths;
mod people_file;
mod price_list;
mod private;
mod prompt;
mod qr;
mod random;
mod remote;
mod run_file;
mod serve;
mod setup;
mod sign_in;
mod spend;
mod status;
mod text;
mod tokens;
mod watch;

pub use cli::run;
