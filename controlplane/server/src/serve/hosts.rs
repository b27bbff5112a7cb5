//! The listener for hosts, as a part of the control plane. Its failure stops nothing else.

use crate::clock;
use crate::house;
use crate::serve::own::{self, Own};
use crate::serve::plan::Plan;
use anyhow::Context as _;
use bytes::Bytes;
use hosts::{Hosts, Intake, Life, Reporter};
use inventory::{Inventory, Sender};
use kill_wire::Timestamp;
use net_model::{HostName, ReportsAnswer};
use node_agent::DrivenView;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;
use store::Store;

/// Hands reports to the inventory.
struct IntoInventory {
    inventory: Inventory,
    store: Store,
}

impl Intake for IntoInventory {
    async fn reports(
        &self,
        from: Reporter,
        lines: Bytes,
        now: Timestamp,
    ) -> Result<ReportsAnswer, u32> {
        let sender = Sender {
            host: from.host,
            zone: from.zone,
            address: from.address,
            dial: from.dial,
            certificate_ends: from.certificate_ends,
        };
        let taken = self.inventory.reports(&sender, &lines, now).await;
        taken.map_err(|not_now| u32::try_from(not_now.retry_after.as_secs()).unwrap_or(60))
    }

    fn through(&self, host: &HostName) -> u64 {
        self.inventory.through(host)
    }

    async fn joined(&self, host: HostName, now: Timestamp) {
        self.inventory.forget(&host, now);
        if let Err(why) = self.store.forget_reports(&host).await {
            let why = anyhow::Error::from(why);
            tracing::warn!(%host, "What it reported before it joined anew stays. {why:#}");
        }
    }
}

/// The running listener, and this machine's own way to it.
#[derive(Debug)]
pub(super) struct Fleet {
    pub(super) address: SocketAddr,
    hosts: Hosts,
    own: Option<Own>,
}

impl Fleet {
    /// Opens the authority, listens and dials. With an agent, this machine is a host of its own house, the same way as any
    /// other; its reports say how the gateways fare that the agent drives.
    pub(super) async fn start(
        plan: &Plan,
        (store, inventory): (Store, Inventory),
        agent: Option<DrivenView>,
    ) -> anyhow::Result<Self> {
        let (home, config) = (&plan.home, &plan.config);
        let section = &config.fleet;
        let house = house::open(home, config, &store).await?;
        let listener = TcpListener::bind(section.listen)
            .with_context(|| format!("cannot listen for hosts on {}", section.listen))?;
        let address = listener.local_addr()?;
        let own = match agent.is_some() {
            true => own::invite(plan, &store, &house).await,
            false => Ok(None),
        };
        let settings = hosts::Settings {
            intake: IntoInventory {
                inventory,
                store: store.clone(),
            },
            store,
            house,
            life: Life::from_millis(section.certificate_life.saturating_mul(1000)),
            binaries: home.agent_binaries(),
            clock: clock::now,
        };
        let hosts = Hosts::start(settings, listener)?;
        let own = match (own, agent) {
            (Ok(token), Some(driven)) => Own::start(plan, address, token, driven).await,
            (Ok(_), None) => Ok(None),
            (Err(why), _) => Err(why),
        };
        Ok(Self {
            address,
            hosts,
            own: own.unwrap_or_else(|why| {
                tracing::warn!("This machine does not report to its own house. {why:#}");
                None
            }),
        })
    }

    /// Stops reporting, then listening.
    pub(super) async fn stop(self, limit: Duration) {
        if let Some(own) = self.own {
            own.stop(limit).await;
        }
        self.hosts.stop(limit).await;
    }
}
