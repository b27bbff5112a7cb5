//! Arguments: one file for each thing the program can be asked for.

mod canary;
mod check;
mod clock;
mod config;
mod install;
mod join;
mod on_trial;
mod reporting;
mod rereading;
mod restore_latch;
mod run;
mod runtime_helper;
mod settle;
mod up;
mod update;

use clap::{Args, Parser, Subcommand};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

const EXAMPLES: &str = "\
Examples:
  node-agent check --config /etc/portcullis/node-agent.toml
  node-agent run --config /etc/portcullis/node-agent.toml

Exit status: 0 done or stopped when asked, 1 failed, 2 usage, 64 bad configuration.";

/// The hand on one host: carries out the orders of the kill switch, and reports.
#[derive(Debug, Parser)]
#[command(name = "node-agent", version, after_help = EXAMPLES, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run until asked to stop
    Run(run::Arguments),
    /// Join a house by a token
    #[command(after_help = join::EXAMPLES)]
    Join(join::Arguments),
    /// Install as a service: program, user, folders, units
    #[command(after_help = install::EXAMPLES)]
    Install(install::Arguments),
    /// Take the newest binary from the control plane, if the house vouches for it
    #[command(after_help = update::EXAMPLES)]
    Update(update::Arguments),
    /// Do four things with named containers for an agent that has no right to their engine
    #[command(after_help = runtime_helper::EXAMPLES)]
    RuntimeHelper(runtime_helper::Arguments),
    /// Report every mistake of the configuration, and what keeps a cut from working at gateways; run nothing
    Check(check::Arguments),
    /// Look whether a new agent works, ahead of its next start; for the unit, which asks the one before
    Settle(settle::Arguments),
    /// Close the fence as it was when this host went down; for a unit that runs before the network is up
    RestoreLatch(FileArgs),
}

/// Where the configuration is.
#[derive(Debug, Args)]
struct FileArgs {
    /// The configuration
    #[arg(
        long,
        value_name = "FILE",
        default_value = "/etc/portcullis/node-agent.toml"
    )]
    config: PathBuf,
}

/// Does what the arguments ask for.
pub(crate) fn run() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Run(arguments) => run::run(&arguments),
        Command::Join(arguments) => join::join(&arguments),
        Command::Install(arguments) => install::install(&arguments),
        Command::Update(arguments) => update::update(&arguments),
        Command::RuntimeHelper(arguments) => runtime_helper::serve(&arguments),
        Command::Check(arguments) => check::check(&arguments),
        Command::Settle(arguments) => settle::settle(&arguments),
        Command::RestoreLatch(arguments) => restore_latch::restore_latch(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            // Nothing can be done when standard error is closed.
            drop(writeln!(std::io::stderr().lock(), "node-agent: {why:#}"));
            kill_program::status(&why)
        }
    }
}
