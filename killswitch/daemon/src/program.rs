//! Arguments, configuration, signals: what the kill switch needs to be a program.

use anyhow::Context as _;
use clap::Parser;
use kill_config::{BadConfig, Reader, Small};
use kill_program::{LogArgs, Signals};
use killswitchd::{Beside, KillSwitch, Settings, guess_bound};
use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// How long work under way may take after the signal to stop.
const STOP: Duration = Duration::from_secs(2);

/// It verifies texts, and leaves the courier's settings and secrets to the courier.
const READER: Reader = Reader {
    channels: true,
    courier: None,
};

const EXAMPLES: &str = "\
Examples:
  killswitchd --config /etc/portcullis/portcullis.toml --data /var/lib/portcullis
  killswitchd --config portcullis.toml --data ./state --check

Keys and state are made by `portcullis init --data DIR`; the kill switch's own lie in DIR/killswitch.
SIGHUP reads channels again; a cut is not touched.
Exit status: 0 stopped when asked, 1 failed, 2 usage, 64 bad configuration.";

/// The kill switch: hears texts, verifies, cuts and proves. Needs no database, names, sign-in or control plane.
#[derive(Debug, Parser)]
#[command(name = "killswitchd", version, after_help = EXAMPLES, max_term_width = 100)]
struct Arguments {
    /// The configuration; only its section [killswitch] counts here
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Folder with all state
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
            drop(writeln!(std::io::stderr().lock(), "killswitchd: {why:#}"));
            kill_program::status(&why)
        }
    }
}

fn start(arguments: &Arguments) -> anyhow::Result<()> {
    let small = kill_config::read_small(&arguments.config, READER)?;
    let _log = kill_program::start_log(&arguments.log)?;
    warn(&small);
    let state_dir = arguments.data.join("killswitch");
    let bound = guess_bound(&small.killswitch.rules, &state_dir);
    let bound = bound.map_err(|problem| BadConfig {
        file: Some(arguments.config.clone()),
        problems: vec![problem],
    })?;
    if let Some(bound) = bound {
        tracing::info!(
            kill = bound.kill,
            restore = bound.restore,
            "Chances a year that a code is guessed."
        );
    }
    let address = small.killswitch.listen;
    let settings = settings(&arguments.data, small)?;
    if arguments.check {
        return Ok(());
    }
    let listener =
        TcpListener::bind(address).with_context(|| format!("cannot listen on {address}"))?;
    let kill_switch = KillSwitch::start(settings, listener)?;
    tracing::info!(%address, "The kill switch runs.");
    let ended = until_stopped(|| reload(&kill_switch, &arguments.config, &state_dir));
    kill_switch.stop(STOP);
    ended
}

fn warn(small: &Small) {
    for warning in &small.warnings {
        tracing::warn!(key = warning.key, "{}", warning.text);
    }
}

fn settings(data: &Path, small: Small) -> anyhow::Result<Settings> {
    let beside = Beside {
        agent: small.agent,
        gateway: small.gateway,
        probe_key: data.join("gateway/probe.key"),
    };
    let state_dir = data.join("killswitch");
    let run_dir = std::env::var_os("RUNTIME_DIRECTORY").map(PathBuf::from);
    Ok(Settings {
        run_dir: run_dir.filter(|dir| dir.is_absolute()),
        ..Settings::configured(small.killswitch, state_dir, &beside)?
    })
}

/// Takes the channels of the file as it is now; with any mistake in it, everything stays as it was.
fn reload(kill_switch: &KillSwitch, file: &Path, state_dir: &Path) {
    let taken = kill_config::read_small(file, READER)
        .map_err(anyhow::Error::from)
        .and_then(|small| {
            warn(&small);
            killswitchd::channels(state_dir, small.killswitch.channels)
        });
    match taken {
        Ok(channels) => {
            kill_switch.set_channels(channels);
            tracing::info!(
                "The channels were read again; everything else counts from the next start."
            );
        }
        Err(why) => {
            tracing::error!("The configuration was not taken; what was in force stays. {why:#}");
        }
    }
}

/// Waits for the signal to stop, here and not on the kill switch's own thread.
fn until_stopped(mut reload: impl FnMut()) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .context("cannot wait for signals")?;
    runtime.block_on(async {
        let mut signals = Signals::listen().context("cannot listen for signals")?;
        while !signals.ended_or_reload().await {
            reload();
        }
        Ok(())
    })
}
