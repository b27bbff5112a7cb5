//! `node-agent run`: the hand on a thread of its own, and beside it whatever else this host does for the house.
//!
//! **Invariant:** the hand starts first and shares no thread with anything else: nothing that reports or probes can
//! delay an order.

use super::FileArgs;
use super::canary;
use super::config::{self, Config};
use super::on_trial;
use super::reporting;
use super::rereading::{self, Rereading};
use super::up::{self, Up};
use anyhow::Context as _;
use gateways::Driver;
use host_facts::{Besides, EVERY, Reporter};
use kill_program::{LogArgs, Signals};
use kill_wire::{Scope, VerifyingKey};
use node_agent::{Driven, DrivenView, NodeAgent, OnSilence, Settings, Silence};
use std::net::TcpListener;
use std::time::Duration;
use uplink::Shelf;
use uplink::trial::Place;

/// How long work under way may take after the signal to stop.
const STOP: Duration = Duration::from_secs(2);

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    file: FileArgs,
    #[command(flatten)]
    log: LogArgs,
    /// Milliseconds between two reports, to see a day of them pass in minutes
    #[arg(long, hide = true, value_name = "MS", value_parser = clap::value_parser!(u64).range(10..))]
    beat_ms: Option<u64>,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let file = &arguments.file.config;
    // Before it is read: what changes in between is seen to have changed.
    let rereading = Rereading::of(file);
    let config = config::read(file)?;
    let _log = kill_program::start_log(&arguments.log)?;
    for warning in &config.warnings {
        tracing::warn!(key = warning.key, "{}", warning.text);
    }
    let address = config.agent.common.listen;
    let listener =
        TcpListener::bind(address).with_context(|| format!("cannot listen on {address}"))?;
    let settings = settings(&config)?;
    let ordered = !settings.keys.is_empty();
    let agent = NodeAgent::start_driving(settings, driven(&config), listener)?;
    tracing::info!(%address, node = config.agent.name, "The node agent runs.");
    // Whatever is wrong with reports, the hand goes on.
    let up = Up::start(&config);
    let up = up.map_err(|why| tracing::error!("Nothing is reported. {why:#}"));
    let every = arguments.beat_ms.map_or(EVERY, Duration::from_millis);
    let reporter = up
        .as_ref()
        .ok()
        .and_then(|(_, shelf)| reporter(&config, shelf, every, &agent));
    let trial = on_trial::own(&config.agent.state);
    let ended = beside((trial, ordered), &agent, rereading);
    if reporter.is_some_and(|reporter| !reporter.stop(STOP)) {
        tracing::warn!(limit = ?STOP, "The reporter did not stop in time.");
    }
    if let Ok((up, _shelf)) = up {
        up.stop(STOP);
    }
    if !agent.stop(STOP) {
        tracing::warn!(limit = ?STOP, "The hand did not stop in time.");
    }
    ended
}

/// Reports of this host, put on the shelf.
fn reporter(
    config: &Config,
    shelf: &Shelf,
    every: Duration,
    agent: &NodeAgent,
) -> Option<Reporter> {
    let (fence, driven) = (agent.fence(), agent.driven());
    let canary = config.canary.clone().and_then(canary::start);
    let besides = move || Besides {
        fence: fence.facts(),
        driven: driven.facts(),
        canary: canary::facts(canary.as_ref()),
        ..Besides::default()
    };
    let begun = reporting::start(config.report.clone(), shelf, every, besides);
    begun
        .map_err(|why| tracing::error!("Nothing is reported. {why:#}"))
        .ok()
}

/// Waits for the signal to stop, or for a trial to fail, and looks meanwhile whether the file has changed; on this thread and
/// not on the hand's.
fn beside(
    (trial, ordered): (Option<(Place, String)>, bool),
    agent: &NodeAgent,
    rereading: Rereading,
) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    runtime.block_on(async {
        let mut signals = Signals::listen().context("cannot listen for signals")?;
        let driven = agent.driven();
        tokio::select! {
            () = until_ended(&mut signals, rereading, &driven) => Ok(()),
            failed = on_trial::watch(trial, agent, ordered) => failed,
        }
    })
}

/// Ends with the signal that ends the program.
async fn until_ended(signals: &mut Signals, mut rereading: Rereading, driven: &DrivenView) {
    loop {
        match tokio::time::timeout(rereading::EVERY, signals.ended_or_reload()).await {
            Ok(true) => return,
            Ok(false) => rereading.look(driven, true),
            Err(_) => rereading.look(driven, false),
        }
    }
}

/// The kill switches that the file names and those that the house gave this host when it joined.
pub(super) fn order_keys(config: &Config) -> anyhow::Result<Vec<VerifyingKey>> {
    let mut keys = config.agent.common.killswitch_keys.clone();
    keys.extend(up::order_keys(&config.agent.state)?);
    keys.sort_by_key(VerifyingKey::to_bytes);
    keys.dedup();
    Ok(keys)
}

fn settings(config: &Config) -> anyhow::Result<Settings> {
    let wish = &config.agent;
    let common = &wish.common;
    let keys = order_keys(config)?;
    let all = if common.holds {
        OnSilence::Hold
    } else {
        OnSilence::Cut
    };
    Ok(Settings {
        node: wish.name.clone(),
        keys,
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
    })
}

/// The gateways that are not ours, and what those shall do that are managed.
fn driven(config: &Config) -> Vec<Driven> {
    let drivers = config.agent.drivers.iter();
    drivers
        .map(|wish| Driven::wished(wish, config.wanted.as_ref()))
        .collect()
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
