//! `portcullis up` and `portcullis serve`: config before ports, the kill switch before everything else, a drain with a limit.

mod attend;
mod controlplane;
mod counters;
mod file_watch;
mod hosts;
mod mesh;
mod model;
mod over_mesh;
mod own;
mod plan;
mod ports;
mod reload;
mod settings;
mod site;
mod spend_logs;
mod wanted;

pub(crate) use wanted::Wanted;

use crate::config;
use crate::greeting::{self, Invocation, Running, Secrets};
use crate::lock::Lock;
use crate::out::Out;
use crate::paths::{Home, Part};
use crate::run_file::RunFile;
use crate::setup::{self, State};
use crate::{people_file, sign_in};
use anyhow::Context as _;
use kill_program::{LogArgs, Signals};
use model::Model;
use net_model::Secret;
use plan::Plan;
use ports::Ports;
use serde_json::json;
use site::Site;
use std::path::PathBuf;
use tokio::sync::mpsc;

/// Threads of the dashboard and its background work; everything else has threads of its own.
const WORKERS: usize = 2;

/// Everything on this machine.
pub(crate) fn up(
    home: &Home,
    file: Option<PathBuf>,
    say: &Invocation,
    json: bool,
    log: &LogArgs,
) -> anyhow::Result<()> {
    let _log = kill_program::start_log(log)?;
    let plan = Plan {
        home: home.clone(),
        config: config::read_whole(file.as_deref(), home)?,
        file,
        parts: Part::ALL.to_vec(),
        courier: true,
        demo: true,
    };
    let (_lock, state) = open(&plan, true)?;
    start(plan, |site| {
        let fresh = state == State::New;
        if json {
            return ready_json(site, fresh);
        }
        let secrets = if fresh { Some(secrets(site)?) } else { None };
        greeting::print(say, &site.plan.home, &running(site), secrets.as_ref())
    })
}

/// Parts as a service.
pub(crate) fn serve(
    home: &Home,
    file: Option<PathBuf>,
    wanted: &[Wanted],
    init: bool,
    json: bool,
    log: &LogArgs,
) -> anyhow::Result<()> {
    let _log = kill_program::start_log(log)?;
    let config = config::read_whole(file.as_deref(), home)?;
    let (parts, courier) = wanted::chosen(wanted, &config);
    let plan = Plan {
        home: home.clone(),
        config,
        file,
        parts,
        courier,
        demo: false,
    };
    let (_lock, state) = open(&plan, init)?;
    start(plan, |site| {
        if json {
            return ready_json(site, state == State::New);
        }
        let mut out = Out::stdout();
        for (part, address) in &site.listening {
            out.line(format_args!("{:<13} {address}", part.name()))?;
        }
        if let Some(at) = site.over_mesh() {
            out.line(format_args!("{:<13} {at}", "over the mesh"))?;
        }
        if state == State::New {
            out.line(
                "Keys were made. Show them: portcullis codes qr owner. Sign in: portcullis sign-in",
            )?;
        }
        Ok(())
    })
}

/// Keys and state alone, for services of several users.
pub(crate) fn init(home: &Home, json: bool) -> anyhow::Result<()> {
    setup::root(home, true)?;
    let _lock = Lock::take(home, &Part::ALL)?;
    let made = setup::ensure(home, &Part::ALL, true)? == State::New;
    setup::shown(home)?;
    let mut out = Out::stdout();
    let root = home.root();
    if json {
        out.json(&json!({ "made": made, "data": root }))?;
    } else if made {
        let shown = root.display();
        out.line(format_args!("Keys and state were made in {shown}. Show the first person's keys: portcullis codes qr owner"))?;
    } else {
        out.line(format_args!(
            "{} holds keys and state already; nothing was changed.",
            root.display()
        ))?;
    }
    Ok(())
}

fn open(plan: &Plan, may_create: bool) -> anyhow::Result<(Lock, State)> {
    for warning in &plan.config.warnings {
        tracing::warn!(key = warning.key, "{}", warning.text);
    }
    setup::root(&plan.home, may_create)?;
    let lock = Lock::take(&plan.home, &plan.parts)?;
    let state = setup::ensure(&plan.home, &plan.parts, may_create)?;
    if plan.parts.contains(&Part::Killswitch) {
        config::guess_bound(&plan.config, &plan.home)?;
    }
    Ok((lock, state))
}

/// Starts every part, says so, waits for the end, drains.
fn start(plan: Plan, announce: impl FnOnce(&Site) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let ports = Ports::bind(&plan.config, &plan.parts)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .thread_name("portcullis")
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let ended = runtime.block_on(async {
        let mut signals = Signals::listen()?;
        let (asks, mut asked) = mpsc::channel(attend::WAITING);
        // Before anything is started: what changes meanwhile is heard afterwards.
        let watch = attend::watch(&plan, &asks);
        let mut site = Site::start(plan, ports, asks).await?;
        if let Err(why) = RunFile::write(&site.plan.home, &site.listening) {
            // A convenience for scripts; a full disk must not keep a kill switch from running.
            tracing::warn!("Other commands may not find these addresses: {why:#}");
        }
        site.wait_until_open().await;
        announce(&site)?;
        setup::shown(&site.plan.home)?;
        attend::attend(&mut site, &mut signals, &mut asked).await;
        // Nobody is heard any more: a watch that still tells of a change ends.
        drop((asked, watch));
        tracing::info!("Stopping: open streams have 10 s. A second signal ends at once.");
        tokio::select! {
            () = site.stop() => Ok(()),
            () = signals.ended() => Err(anyhow::anyhow!("stopped at once; open streams were cut off")),
        }
    });
    runtime.shutdown_background();
    ended
}

fn running(site: &Site) -> Running {
    let address = |part| site.address(part);
    Running {
        dashboard: match &site.controlplane_failed {
            Some(why) => Err(why.clone()),
            None => Ok(address(Part::Controlplane)),
        },
        killswitch: address(Part::Killswitch),
        gateway: address(Part::Gateway),
        agent: address(Part::Agent),
        model: match &site.model {
            Model::Configured => greeting::Model::Configured,
            Model::Ollama { first } => greeting::Model::Ollama(first.clone()),
            Model::Demo(_) => greeting::Model::Demo,
        },
        key_file: site.consumer_key_file(),
        over_mesh: site.over_mesh(),
    }
}

fn secrets(site: &Site) -> anyhow::Result<Secrets> {
    let home = &site.plan.home;
    let key = std::fs::read_to_string(home.agent_key())?;
    Ok(Secrets {
        link: sign_in::link(
            site.address(Part::Controlplane),
            &sign_in::make(&home.sign_in())?,
        ),
        consumer_key: Secret::new(&key)?,
        owner: people_file::first(home)?,
    })
}

/// One line for scripts; no secret in it.
fn ready_json(site: &Site, first_start: bool) -> anyhow::Result<()> {
    let addresses: std::collections::BTreeMap<&str, String> = site
        .listening
        .iter()
        .map(|(part, address)| (part.name(), address.to_string()))
        .collect();
    let mut line = json!({
        "ready": true,
        "version": env!("CARGO_PKG_VERSION"),
        "pid": std::process::id(),
        "first_start": first_start,
        "data": site.plan.home.root(),
        "model": site.model.word(),
        "consumer_key_file": site.consumer_key_file(),
        "controlplane_error": site.controlplane_failed,
    });
    if let (Some(fleet), Some(fields)) = (&site.fleet, line.as_object_mut()) {
        fields.insert("hosts".to_owned(), json!(fleet.address.to_string()));
    }
    if let (Some(at), Some(fields)) = (site.over_mesh(), line.as_object_mut()) {
        fields.insert("over_mesh".to_owned(), json!(at.to_string()));
    }
    if let Some(fields) = line.as_object_mut() {
        fields.extend(
            addresses
                .into_iter()
                .map(|(name, address)| (name.to_owned(), json!(address))),
        );
    }
    Out::stdout().json(&line)?;
    Ok(())
}
