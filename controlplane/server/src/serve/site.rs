//! The parts that run in this process, from start to stop.

use super::controlplane::ControlPlane;
use super::model::Model;
use super::ports::Ports;
use super::{Plan, channels};
use crate::config::Fallback;
use crate::paths::{Home, Part};
use crate::trouble::BadConfig;
use anyhow::Context as _;
use data_encoding::HEXLOWER;
use gateway::Gateway;
use gateways::{Driver, Gateway as _};
use kill_wire::VerifyingKey;
use killswitchd::{KillSwitch, Vantage};
use net_model::{KeyHash, Secret};
use node_agent::NodeAgent;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::task::TaskTracker;

/// How long open streams may go on after the first signal.
const DRAIN: Duration = Duration::from_secs(10);

/// How long each other part may take to stop.
const STOP: Duration = Duration::from_secs(2);

/// How long a start waits for the first order to reach the gateway.
const OPEN: Duration = Duration::from_secs(5);

/// What runs.
pub(super) struct Site {
    pub(super) plan: Plan,
    pub(super) listening: Vec<(Part, SocketAddr)>,
    pub(super) model: Model,
    pub(super) fallback: Fallback,
    pub(super) kill_switch: Option<KillSwitch>,
    agent: Option<NodeAgent>,
    pub(super) gateway: Option<Gateway>,
    controlplane: Option<ControlPlane>,
    pub(super) controlplane_failed: Option<String>,
}

impl Site {
    /// Starts the kill switch first and the control plane last, which may fail without harm to the others.
    pub(super) async fn start(mut plan: Plan, mut ports: Ports) -> anyhow::Result<Self> {
        let listening = ports.addresses()?;
        let kill_switch = match ports.take(Part::Killswitch) {
            Some(listener) => {
                let settings = kill_switch(&mut plan, &listening)?;
                Some(
                    KillSwitch::start(settings, listener)
                        .context("the kill switch cannot start")?,
                )
            }
            None => None,
        };
        let runs_gateway = plan.parts.contains(&Part::Gateway);
        let configured = plan.config.gateway.has_targets() || !runs_gateway;
        let key = consumer_key(&plan)?;
        let (model, fallback) = Model::find(configured, plan.demo, key).await?;
        let gateway = match ports.take(Part::Gateway) {
            Some(listener) => {
                let settings = gateway(&plan, &fallback)?;
                Some(Gateway::start(settings, listener).context("the gateway cannot start")?)
            }
            None => None,
        };
        // After the gateway, which starts closed: the first order then finds both.
        let agent = match ports.take(Part::Agent) {
            Some(listener) => {
                let settings = agent(&plan)?;
                Some(NodeAgent::start(settings, listener).context("the node agent cannot start")?)
            }
            None => None,
        };
        let mut site = Self {
            plan,
            listening,
            model,
            fallback,
            kill_switch,
            agent,
            gateway,
            controlplane: None,
            controlplane_failed: None,
        };
        if let Some(listener) = ports.take(Part::Controlplane) {
            let demo = matches!(site.model, Model::Demo(_));
            let hosts = site.plan.config.hosts.clone();
            match ControlPlane::start(&site.plan.home, listener, hosts, demo).await {
                Ok(started) => site.controlplane = Some(started),
                Err(why) => {
                    tracing::error!(
                        "The control plane does not run; kill switch, agent and gateway do. {why:#}"
                    );
                    site.controlplane_failed = Some(format!("{why:#}"));
                }
            }
        }
        Ok(site)
    }

    /// Where a part of this process listens, or where the configuration says it does.
    pub(super) fn address(&self, part: Part) -> SocketAddr {
        address(&self.plan, &self.listening, part)
    }

    /// The key that first start made, when the built-in consumer `agent` is in force.
    pub(super) fn consumer_key_file(&self) -> Option<PathBuf> {
        (!self.plan.config.gateway.has_consumers()).then(|| self.plan.home.agent_key())
    }

    /// Waits until the first order has reached the gateway; it starts closed.
    pub(super) async fn wait_until_open(&self) {
        if self.gateway.is_none() || self.agent.is_none() {
            return;
        }
        let driver = Driver::embedded(self.plan.home.control_socket());
        let told = async {
            loop {
                if driver
                    .observe()
                    .await
                    .is_ok_and(|seen| seen.seq.is_some() && seen.paused.is_empty())
                {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        if tokio::time::timeout(OPEN, told).await.is_err() {
            tracing::warn!(
                "The gateway is closed: no order of the kill switch has reached it yet."
            );
        }
    }

    /// Lets streams end first: as long as they run, the kill switch can still cut them.
    pub(super) async fn stop(self) {
        if let Some(gateway) = self.gateway {
            let drained = gateway.drain(DRAIN).await;
            tracing::info!(
                ended = drained.ended,
                cut_off = drained.cut_off,
                "The gateway has stopped."
            );
        }
        if let Some(controlplane) = self.controlplane {
            controlplane.stop(STOP).await;
        }
        if let Model::Demo(demo) = self.model {
            demo.stop(STOP).await;
        }
        let (agent, kill_switch) = (self.agent, self.kill_switch);
        let tracker = TaskTracker::new();
        let stopped = tracker.spawn_blocking(move || {
            if agent.is_some_and(|agent| !agent.stop(STOP)) {
                tracing::warn!(thread = "node-agent", limit = ?STOP, "Did not stop in time.");
            }
            if let Some(kill_switch) = kill_switch {
                kill_switch.stop(STOP);
            }
        });
        if let Err(why) = stopped.await {
            tracing::error!(%why, "Stopping the kill switch failed.");
        }
    }
}

fn address(plan: &Plan, listening: &[(Part, SocketAddr)], part: Part) -> SocketAddr {
    listening
        .iter()
        .find(|(other, _)| *other == part)
        .map_or_else(
            || super::ports::configured(&plan.config, part),
            |(_, address)| *address,
        )
}

fn kill_switch(
    plan: &mut Plan,
    listening: &[(Part, SocketAddr)],
) -> anyhow::Result<killswitchd::Settings> {
    let configured = std::mem::take(&mut plan.config.killswitch.channels);
    let wish = &plan.config.killswitch;
    let mut agents = wish.agents.clone();
    if agents.is_empty() {
        agents.push(address(plan, listening, Part::Agent));
    }
    let mut vantages: Vec<Vantage> = wish
        .vantages
        .iter()
        .map(|vantage| Vantage {
            gateway: vantage.gateway,
            probe_key: vantage.key.expose().to_owned(),
        })
        .collect();
    let own_key = plan.home.probe_key();
    if vantages.is_empty() && own_key.exists() {
        vantages.push(Vantage {
            gateway: address(plan, listening, Part::Gateway),
            probe_key: read_secret(&own_key)?.expose().to_owned(),
        });
    }
    Ok(killswitchd::Settings {
        state_dir: plan.home.part(Part::Killswitch),
        channels: channels::all(&plan.home, configured)?,
        agents,
        vantages,
    })
}

fn agent(plan: &Plan) -> anyhow::Result<node_agent::Settings> {
    Ok(node_agent::Settings {
        node: rustix::system::uname()
            .nodename()
            .to_string_lossy()
            .chars()
            .take(64)
            .collect(),
        key: order_key(&plan.home)?,
        state_dir: plan.home.part(Part::Agent),
        gateways: vec![Driver::embedded(plan.home.control_socket())],
        on_silence: plan.config.on_silence,
    })
}

fn order_key(home: &Home) -> anyhow::Result<VerifyingKey> {
    let path = home.order_pub();
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("cannot read {}", path.display()))?;
    let raw = HEXLOWER.decode(text.trim().as_bytes()).ok();
    let raw = raw.and_then(|raw| <[u8; 32]>::try_from(raw).ok());
    raw.and_then(|raw| VerifyingKey::from_bytes(&raw).ok())
        .with_context(|| format!("{} is not an Ed25519 key in hexadecimal", path.display()))
}

fn gateway(plan: &Plan, fallback: &Fallback) -> anyhow::Result<gateway::Settings> {
    let table = plan
        .config
        .gateway
        .table(fallback)
        .map_err(|problems| BadConfig {
            file: plan.file.clone(),
            problems,
        })?;
    Ok(gateway::Settings {
        table,
        control_socket: plan.home.control_socket(),
        spool_dir: plan.home.spool(),
        probe_key: read_secret(&plan.home.probe_key())?.hash(),
    })
}

/// What is kept of the built-in consumer's key; of nothing, where its file is not this host's.
fn consumer_key(plan: &Plan) -> anyhow::Result<KeyHash> {
    if plan.config.gateway.has_consumers() || !plan.parts.contains(&Part::Gateway) {
        return Ok(KeyHash::of(b""));
    }
    Ok(read_secret(&plan.home.agent_key())?.hash())
}

fn read_secret(path: &Path) -> anyhow::Result<Secret> {
    let text = std::fs::read_to_string(path)
        .map(zeroize::Zeroizing::new)
        .with_context(|| format!("cannot read {}", path.display()))?;
    Secret::new(&text).with_context(|| path.display().to_string())
}

/// The signals this program answers to.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Signals {
    /// From now on none of them ends the process by itself.
    pub(super) fn listen() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Waits; true to end, false to read the configuration again.
    pub(super) async fn ended_or_reload(&mut self) -> bool {
        tokio::select! {
            _ = self.interrupt.recv() => true,
            _ = self.terminate.recv() => true,
            _ = self.hangup.recv() => false,
        }
    }

    /// Waits for one that ends.
    pub(super) async fn ended(&mut self) {
        while !self.ended_or_reload().await {}
    }
}
