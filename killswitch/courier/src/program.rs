//! Arguments, configuration, signals: what the courier needs to be a program.

use anyhow::Context as _;
use clap::Parser;
use kill_config::{BadConfig, Reader};
use kill_courier::{Courier, KNOWS, Settings};
use kill_program::{LogArgs, Signals};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// How long it may take to end.
const STOP: Duration = Duration::from_secs(2);

/// Texts are verified by the kill switch; its secrets may be closed to the courier.
const READER: Reader = Reader {
    channels: false,
    courier: Some(KNOWS),
};

const EXAMPLES: &str = "\
Examples:
  kill-courier --config /etc/portcullis/portcullis.toml --data /var/lib/portcullis
  kill-courier --config portcullis.toml --data ./state --check

It fetches texts from providers that are asked, and carries replies. The kill switch need not run yet, and never waits for it.
SIGHUP reads the configuration again. Exit status: 0 stopped when asked, 1 failed, 2 usage, 64 bad configuration.";

/// The kill switch's courier: the one part that looks up names and speaks to the internet.
#[derive(Debug, Parser)]
#[command(name = "kill-courier", version, after_help = EXAMPLES, max_term_width = 100)]
struct Arguments {
    /// The configuration; only its section [killswitch] counts here
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Folder with the kill switch's state, where its socket is unless the configuration says otherwise
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Report every mistake of the configuration, and run nothing
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    log: LogArgs,
}

/// Runs until asked to stop.
pub(crate) fn run() -> ExitCode {
    match start(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            // Nothing can be done when standard error is closed.
            drop(writeln!(std::io::stderr().lock(), "kill-courier: {why:#}"));
            kill_program::status(&why)
        }
    }
}

fn start(arguments: &Arguments) -> anyhow::Result<()> {
    let _log = kill_program::start_log(&arguments.log)?;
    let mut settings = read(arguments)?;
    if arguments.check {
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .context("cannot wait for signals")?;
    let listening = runtime.block_on(async { Signals::listen() });
    let mut signals = listening.context("cannot listen for signals")?;
    loop {
        if settings.is_none() {
            tracing::warn!("No channel has work for a courier; waiting for another configuration.");
        }
        let courier = settings.map(Courier::start).transpose()?;
        let other = runtime.block_on(other(&mut signals, arguments));
        if let Some(courier) = courier {
            courier.stop(STOP);
        }
        match other {
            Some(other) => settings = other,
            None => return Ok(()),
        }
    }
}

/// Waits for another configuration that can be used; `None` when it is time to end.
async fn other(signals: &mut Signals, arguments: &Arguments) -> Option<Option<Settings>> {
    while !signals.ended_or_reload().await {
        match read(arguments) {
            Ok(settings) => return Some(settings),
            Err(why) => {
                tracing::error!(
                    "The configuration was not taken; what was in force stays. {why:#}"
                );
            }
        }
    }
    None
}

fn read(arguments: &Arguments) -> Result<Option<Settings>, BadConfig> {
    let small = kill_config::read_small(&arguments.config, READER)?;
    for warning in &small.warnings {
        tracing::warn!(key = warning.key, "{}", warning.text);
    }
    let own = || arguments.data.join("killswitch/courier.sock");
    let socket = small.killswitch.sockets.courier.unwrap_or_else(own);
    let wishes = small.killswitch.channels.iter().map(|wish| &wish.courier);
    Ok(Settings::configured(wishes, socket))
}
