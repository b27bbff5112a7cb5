//! The command line: what may be said, and who does it.

mod elsewhere;
mod examples;

use crate::{
    capture, codes, config, explain, export, fleet, greeting, hosts, import, incidents, journal,
    lever, mesh, paths::Home, price_list, remote::Remote, serve, sign_in, spend, status, text,
    tokens, watch,
};
use clap::{Args, Parser, Subcommand};
use kill_program::LogArgs;
use kill_wire::Scope;
use std::path::PathBuf;
use std::process::ExitCode;

/// A network control plane for homes, with an out-of-band kill switch for AI agents.
#[derive(Debug, Parser)]
#[command(name = "portcullis", version, after_long_help = examples::ALL, max_term_width = 100, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Heading of what every command understands, below what is its own.
const GLOBAL: &str = "With every command";

/// What every command understands.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// Folder with all state [default: $XDG_STATE_HOME/portcullis, under systemd $STATE_DIRECTORY]
    #[arg(
        long,
        global = true,
        help_heading = GLOBAL,
        env = "PORTCULLIS_DATA",
        value_name = "DIR",
        hide_env_values = true
    )]
    pub(crate) data: Option<PathBuf>,
    /// Configuration [default: portcullis.toml in this folder, if there is one]
    #[arg(
        long,
        global = true,
        help_heading = GLOBAL,
        env = "PORTCULLIS_CONFIG",
        value_name = "FILE",
        hide_env_values = true
    )]
    pub(crate) config: Option<PathBuf>,
    /// Ask a house that runs elsewhere, over its API: what is cut, cut and restore, look at hosts, spend, tokens and more
    #[arg(
        long,
        global = true,
        help_heading = GLOBAL,
        env = "PORTCULLIS_URL",
        value_name = "URL",
        requires = "token_file",
        hide_env_values = true
    )]
    pub(crate) url: Option<String>,
    /// File with the token for --url
    #[arg(
        long,
        global = true,
        help_heading = GLOBAL,
        env = "PORTCULLIS_TOKEN_FILE",
        value_name = "FILE",
        hide_env_values = true
    )]
    pub(crate) token_file: Option<PathBuf>,
    /// Print JSON instead of text for people
    #[arg(long, global = true, help_heading = GLOBAL)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run everything on this machine; the first time, make keys and show them
    #[command(after_long_help = examples::UP)]
    Up {
        #[command(flatten)]
        log: LogArgs,
    },
    /// Make keys and state, and run nothing
    #[command(after_long_help = examples::INIT)]
    Init,
    /// Run parts as a service: no demo model, no QR codes
    #[command(after_long_help = examples::SERVE)]
    Serve {
        /// Which parts; default: those that the configuration names, or all four
        #[arg(value_enum)]
        parts: Vec<serve::Wanted>,
        /// Make keys and state if there are none
        #[arg(long)]
        init: bool,
        #[command(flatten)]
        log: LogArgs,
    },
    /// What is cut, what is open, and what needs a look
    #[command(after_long_help = examples::STATUS)]
    Status,
    /// Cut a scope now; needs no code, only this machine
    #[command(after_long_help = examples::CUT)]
    Cut {
        /// ALL, LLM, CLOUD, AGENTS, TOOLS, or the name of a route or consumer
        scope: Scope,
        /// Why, for the journal
        #[arg(long, default_value = "")]
        why: String,
    },
    /// Try everything that a cut needs, and cut nothing
    #[command(after_long_help = examples::DRILL)]
    Drill,
    /// Say that somebody is there, where the house asks for it
    #[command(after_long_help = examples::CHECK_IN)]
    CheckIn,
    /// The ways a text may come in: how far each is trusted, when it was heard, what is wrong with it
    #[command(after_long_help = examples::CHANNELS)]
    Channels,
    /// Open a scope again; asks for a RESTORE code
    #[command(after_long_help = examples::RESTORE)]
    Restore {
        /// Exactly a scope that is cut
        scope: Scope,
        /// Read the code from this file (`-`: standard input) instead of asking
        #[arg(long, value_name = "FILE")]
        code_file: Option<PathBuf>,
    },
    /// Send a text message to the kill switch, as a provider's webhook would
    #[command(after_long_help = examples::TEXT)]
    Text(text::TextArgs),
    /// Persons, their one-time codes and cards
    #[command(subcommand, after_long_help = examples::CODES)]
    Codes(codes::CodesCommand),
    /// Cuts and restores, newest first
    #[command(after_long_help = examples::INCIDENTS)]
    Incidents {
        /// At most this many
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=500))]
        limit: u32,
    },
    /// The record of what was asked, decided and done
    #[command(subcommand, after_long_help = examples::JOURNAL)]
    Journal(JournalCommand),
    /// What was used and what it cost
    #[command(after_long_help = examples::SPEND)]
    Spend(spend::SpendArgs),
    /// Why a request was refused, slow, dear, sent elsewhere or cut
    #[command(after_long_help = explain::EXAMPLES)]
    Explain(explain::ExplainArgs),
    /// What models cost
    #[command(subcommand, after_long_help = price_list::EXAMPLES)]
    Prices(price_list::PricesCommand),
    /// Write down what a consumer asks and is answered, for a while
    #[command(subcommand, after_long_help = capture::EXAMPLES)]
    Capture(capture::CaptureCommand),
    /// Read the set-up of another gateway, and write a configuration from it
    #[command(subcommand, after_long_help = import::EXAMPLES)]
    Import(import::ImportCommand),
    /// Write a configuration for another gateway from this one
    #[command(subcommand, after_long_help = export::EXAMPLES)]
    Export(export::ExportCommand),
    /// The configuration file
    #[command(subcommand, after_long_help = examples::CONFIG)]
    Config(ConfigCommand),
    /// Hosts: who may join and report, and who may not any more
    #[command(subcommand, after_long_help = hosts::HOSTS)]
    Hosts(hosts::HostsCommand),
    /// The networks of the house, how far each is trusted, and how many hosts are heard there
    #[command(after_long_help = fleet::ZONES)]
    Zones,
    /// What is wrong with hosts, and what was
    #[command(after_long_help = fleet::ALERTS)]
    Alerts,
    /// What the control plane does by the clock, and how the last run of each went
    #[command(after_long_help = fleet::JOBS)]
    Jobs,
    /// The mesh network: its nodes, whose they are, what is wrong with them
    #[command(after_long_help = mesh::EXAMPLES)]
    Mesh {
        #[command(subcommand)]
        command: Option<mesh::MeshCommand>,
    },
    /// Tokens for programs that use the API
    #[command(subcommand, after_long_help = tokens::EXAMPLES)]
    Tokens(tokens::TokensCommand),
    /// Print a fresh one-time link to the dashboard
    #[command(after_long_help = examples::SIGN_IN)]
    SignIn,
}

#[derive(Debug, Subcommand)]
enum JournalCommand {
    /// Check every entry's hash against the one before
    #[command(after_long_help = examples::JOURNAL)]
    Verify,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Report every problem of the configuration, or what it says
    #[command(after_long_help = examples::CONFIG)]
    Check {
        /// Ask the gateways of [[agent.drivers]], too, what keeps a cut from working there; run it where the agent runs
        #[arg(long)]
        drivers: bool,
    },
    /// Have a running house read it again; every mistake is told, and then nothing changes
    #[command(after_long_help = examples::CONFIG)]
    Reload,
}

/// Runs the command of this process's arguments; the exit status is 0 done, 1 refused or failed, 2 usage, 64 bad configuration.
#[must_use]
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    match dispatch(&cli) {
        Ok(code) => code,
        Err(why) => {
            crate::out::aside(format_args!("portcullis: {why:#}"));
            kill_program::status(&why)
        }
    }
}

fn dispatch(cli: &Cli) -> anyhow::Result<ExitCode> {
    let json = cli.global.json;
    if let Some(url) = &cli.global.url {
        let remote = Remote::open(url, cli.global.token_file.as_deref())?;
        return elsewhere::run(&remote, &cli.command, json);
    }
    let file = config::file(cli.global.config.as_deref());
    let lever = file.as_deref().and_then(kill_config::lever_socket);
    let home = Home::find(cli.global.data.as_deref())?.with_lever(lever);
    let done = |()| ExitCode::SUCCESS;
    match &cli.command {
        Command::Up { log } => {
            let say = greeting::Invocation::of(&home, cli.global.config.as_deref());
            serve::up(&home, file, &say, json, log).map(done)
        }
        Command::Serve { parts, init, log } => {
            serve::serve(&home, file, parts, *init, json, log).map(done)
        }
        Command::Init => serve::init(&home, json).map(done),
        Command::Status => status::print(&home, file.as_deref(), json),
        Command::Cut { scope, why } => lever::cut(&home, scope, why, json),
        Command::Restore { scope, code_file } => {
            lever::restore(&home, scope, code_file.as_deref(), json)
        }
        Command::Drill => watch::drill(&home, json),
        Command::CheckIn => watch::check_in(&home, json).map(done),
        Command::Channels => watch::channels(&home, json).map(done),
        Command::Text(args) => text::send(&home, file.as_deref(), args, json).map(done),
        Command::Codes(command) => codes::run(&home, file.as_deref(), command, json).map(done),
        Command::Incidents { limit } => incidents::print(&home, *limit, json).map(done),
        Command::Journal(JournalCommand::Verify) => journal::verify(&home, json).map(done),
        Command::Spend(args) => spend::print(&home, args, json).map(done),
        Command::Explain(args) => explain::print(&home, args, json),
        Command::Prices(command) => price_list::run(&home, command, json).map(done),
        Command::Capture(command) => capture::run(&home, command, json).map(done),
        Command::Import(command) => import::run(command, json).map(done),
        Command::Export(command) => export::run(command, file.as_deref(), json).map(done),
        Command::Config(ConfigCommand::Check { drivers }) => {
            config::check::print(&home, file.as_deref(), *drivers, json).map(done)
        }
        Command::Config(ConfigCommand::Reload) => config::reload::run(&home, file.as_deref(), json),
        Command::Hosts(command) => hosts::run(&home, file.as_deref(), command, json).map(done),
        Command::Zones => fleet::zones(&home, file.as_deref(), json).map(done),
        Command::Alerts => fleet::alerts(&home, json).map(done),
        Command::Jobs => fleet::jobs(&home, json).map(done),
        Command::Mesh { command } => {
            mesh::run(&home, file.as_deref(), command.as_ref(), json).map(done)
        }
        Command::Tokens(command) => tokens::run(&home, command, json).map(done),
        Command::SignIn => sign_in::print(&home, file.as_deref(), json).map(done),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_shows_examples() {
        fn check(command: &mut clap::Command, path: &str) {
            let help = command.render_long_help().to_string();
            assert!(
                help.contains("Examples:"),
                "{path} has no examples:\n{help}"
            );
            for inner in command.get_subcommands_mut() {
                if inner.get_name() != "help" {
                    let path = format!("{path} {}", inner.get_name());
                    check(inner, &path);
                }
            }
        }
        check(&mut Cli::command(), "portcullis");
    }
}
