//! The parts that run in this process, from start to stop.

use super::controlplane::{ControlPlane, Wish};
use super::hosts::Fleet;
use super::model::Model;
use super::plan::Plan;
use super::ports::{self, Ports};
use super::settings;
use crate::config::Fallback;
use crate::paths::Part;
use crate::price_list;
use anyhow::Context as _;
use dash::ConfigAsk;
use gateway::Gateway;
use gateways::{Driver, Gateway as _};
use kill_courier::Courier;
use killswitchd::KillSwitch;
use node_agent::NodeAgent;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

/// How long open streams may go on after the first signal.
const DRAIN: Duration = Duration::from_secs(10);

/// How long each other part may take to stop.
pub(super) const STOP: Duration = Duration::from_secs(2);

/// How long a start waits for the first order to reach the gateway.
const OPEN: Duration = Duration::from_secs(5);

/// What runs.
pub(super) struct Site {
    pub(super) plan: Plan,
    /// The configuration as it stood at the start.
    pub(super) started_with: toml::Table,
    pub(super) listening: Vec<(Part, SocketAddr)>,
    pub(super) model: Model,
    pub(super) fallback: Fallback,
    pub(super) kill_switch: Option<KillSwitch>,
    pub(super) courier: Option<Courier>,
    pub(super) agent: Option<NodeAgent>,
    pub(super) gateway: Option<Gateway>,
    pub(super) controlplane: Option<ControlPlane>,
    pub(super) controlplane_failed: Option<String>,
    /// Where hosts join and report, if the control plane runs.
    pub(super) fleet: Option<Fleet>,
}

impl Site {
    /// Starts the kill switch first and the control plane last, which may fail without harm to the others.
    pub(super) async fn start(
        mut plan: Plan,
        mut ports: Ports,
        asks: mpsc::Sender<ConfigAsk>,
    ) -> anyhow::Result<Self> {
        let listening = ports.addresses()?;
        let errands = settings::courier(&plan, &plan.config.killswitch);
        let kill_switch = match ports.take(Part::Killswitch) {
            Some(listener) => {
                let settings = settings::kill_switch(&mut plan, &listening)?;
                Some(
                    KillSwitch::start(settings, listener)
                        .context("the kill switch cannot start")?,
                )
            }
            None => None,
        };
        let courier = errands.map(Courier::start).transpose();
        let courier = courier.context("the courier cannot start")?;
        let runs_gateway = plan.parts.contains(&Part::Gateway);
        let configured = plan.config.gateway.has_targets() || !runs_gateway;
        let key = settings::consumer_key(&plan)?;
        let (model, fallback) = Model::find(configured, plan.demo, key).await?;
        let gateway = match ports.take(Part::Gateway) {
            Some(listener) => {
                let gateway = start_gateway(&plan, &fallback, listener);
                Some(gateway.context("the gateway cannot start")?)
            }
            None => None,
        };
        // After the gateway, which starts closed: the first order then finds both.
        let agent = match ports.take(Part::Agent) {
            Some(listener) => {
                let (settings, driven) = (settings::agent(&plan)?, settings::driven(&plan));
                let agent = NodeAgent::start_driving(settings, driven, listener);
                Some(agent.context("the node agent cannot start")?)
            }
            None => None,
        };
        let mut site = Self {
            started_with: plan.config.raw.clone(),
            plan,
            listening,
            model,
            fallback,
            kill_switch,
            courier,
            agent,
            gateway,
            controlplane: None,
            controlplane_failed: None,
            fleet: None,
        };
        if let Some(listener) = ports.take(Part::Controlplane) {
            site.start_controlplane(listener, asks).await;
            site.start_fleet().await;
        }
        Ok(site)
    }

    async fn start_controlplane(&mut self, listener: TcpListener, asks: mpsc::Sender<ConfigAsk>) {
        let demo = matches!(self.model, Model::Demo(_));
        let wish = Wish::of(&self.plan.config, demo);
        match ControlPlane::start(&self.plan.home, listener, wish, asks).await {
            Ok(started) => self.controlplane = Some(started),
            Err(why) => {
                tracing::error!(
                    "The control plane does not run; kill switch, agent and gateway do. {why:#}"
                );
                self.controlplane_failed = Some(format!("{why:#}"));
            }
        }
    }

    async fn start_fleet(&mut self) {
        let Some(controlplane) = &self.controlplane else {
            return;
        };
        let driven = self.agent.as_ref().map(NodeAgent::driven);
        match Fleet::start(&self.plan, controlplane.keeps(), driven).await {
            Ok(fleet) => self.fleet = Some(fleet),
            Err(why) => {
                tracing::error!("No host can join or report; everything else runs. {why:#}")
            }
        }
    }

    /// Where a part of this process listens, or where the configuration says it does.
    pub(super) fn address(&self, part: Part) -> SocketAddr {
        ports::address(&self.plan.config, &self.listening, part)
    }

    /// Where the dashboard is opened over the mesh, as soon as this machine is on it.
    pub(super) fn over_mesh(&self) -> Option<SocketAddr> {
        let runs = self.controlplane.is_some();
        self.plan.config.over_mesh.filter(|_| runs)
    }

    /// The key that first start made, when the built-in consumer `agent` is in force.
    pub(super) fn consumer_key_file(&self) -> Option<PathBuf> {
        let built_in = self.plan.config.gateway.has_built_in_consumer();
        built_in.then(|| self.plan.home.agent_key())
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
        if let Some(fleet) = self.fleet {
            fleet.stop(STOP).await;
        }
        if let Some(controlplane) = self.controlplane {
            controlplane.stop(STOP).await;
        }
        if let Model::Demo(demo) = self.model {
            demo.stop(STOP).await;
        }
        let (agent, courier, kill_switch) = (self.agent, self.courier, self.kill_switch);
        let tracker = TaskTracker::new();
        let stopped = tracker.spawn_blocking(move || {
            if agent.is_some_and(|agent| !agent.stop(STOP)) {
                tracing::warn!(thread = "node-agent", limit = ?STOP, "Did not stop in time.");
            }
            if let Some(courier) = courier {
                courier.stop(STOP);
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

/// It starts closed: the house's prices are in place before the first exchange.
fn start_gateway(
    plan: &Plan,
    fallback: &Fallback,
    listener: TcpListener,
) -> anyhow::Result<Gateway> {
    let settings = settings::gateway(plan, fallback)?;
    let prices = price_list::read(&plan.home)?;
    let gateway = Gateway::start(settings, listener)?;
    gateway.set_prices(prices);
    gateway.operate(plan.config.gateway.operating().clone());
    Ok(gateway)
}
