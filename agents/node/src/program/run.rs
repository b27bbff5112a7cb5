//! `node-agent run`: the hand on a thread of its own, and beside it whatever else this host does for the house.
//!
//! **Invariant:** the hand starts first and shares no thread with anything else: nothing that reports or probes can
//! delay an order.

use super::FileArgs;
use super::config::{self, Config};
use anyhow::Context as _;
use gateways::Driver;
use kill_program::{LogArgs, Signals};
use kill_wire::Scope;
use node_agent::{NodeAgent, OnSilence, Settings, Silence};
use std::net::TcpListener;
use std::time::Duration;

/// How long work under way may take after the signal to stop.
const STOP: Duration = Duration::from_secs(2);

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    file: FileArgs,
    #[command(flatten)]
    log: LogArgs,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let config = config::read(&arguments.file.config)?;
    let _log = kill_program::start_log(&arguments.log)?;
    for warning in &config.warnings {
        tracing::warn!(key = warning.key, "{}", warning.text);
    }
    let address = config.agent.common.listen;
    let listener =
        TcpListener::bind(address).with_context(|| format!("cannot listen on {address}"))?;
    let agent = NodeAgent::start(settings(&config), listener)?;
    tracing::info!(%address, node = config.agent.name, "The node agent runs.");
    let ended = beside();
    if !agent.stop(STOP) {
        tracing::warn!(limit = ?STOP, "The hand did not stop in time.");
    }
    ended
}

/// Waits for the signal to stop, on this thread and not on the hand's.
fn beside() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    runtime.block_on(async {
        let mut signals = Signals::listen().context("cannot listen for signals")?;
        signals.ended().await;
        Ok(())
    })
}

fn settings(config: &Config) -> Settings {
    let wish = &config.agent;
    let common = &wish.common;
    let all = if common.holds {
        OnSilence::Hold
    } else {
        OnSilence::Cut
    };
    Settings {
        node: wish.name.clone(),
        keys: common.killswitch_keys.clone(),
        state_dir: wish.state.clone(),
        gateways: wish
            .gateways
            .iter()
            .cloned()
            .map(Driver::embedded)
            .collect(),
        on_silence: Silence {
            all,
            hold: hold(config),
        },
        direct: common.direct.clone(),
        fence: config.fence.as_ref().map(|fenced| fenced.wish.clone()),
    }
}

/// The scopes that silence leaves as they are: those of the file, and the ways of the fence that hold.
fn hold(config: &Config) -> Vec<Scope> {
    let fenced = config.fence.iter().flat_map(|fenced| &fenced.holds);
    config
        .agent
        .common
        .hold
        .iter()
        .chain(fenced)
        .cloned()
        .collect()
}
