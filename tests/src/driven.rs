//! A gateway of each kind that a driver closes, on loopback, with a scripted upstream behind it: for the story that every
//! driver lives through, and for the benchmark.
//!
//! Each has the route `chat` for the consumer `claw` and the route `side` for `paw`, both to the target `box`.

mod client;
mod nginx;
mod table;

pub use client::{Answer, Client, Door, Open};
pub use nginx::{NginxSite, PROGRAM as NGINX};
pub use table::{KEYS, wanted};

use crate::apisix::{Options, Twin};
use crate::upstream::Upstream;
use anyhow::Context as _;
use gateway::Gateway as Embedded;
use gateways::{Apisix, ApisixSettings, Driver, Gateway as _, Mode};
use net_model::{Rules, Secret};
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;
use tempfile::TempDir;

/// Until what starts or stops must have.
const LIMIT: Duration = Duration::from_secs(10);

/// A kind of gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Ours.
    Embedded,
    /// nginx, the program itself.
    Nginx,
    /// Apache APISIX, pretended.
    Apisix,
}

/// One of them.
#[derive(Debug)]
pub struct Site {
    /// Its kind.
    pub kind: Kind,
    /// What closes it.
    pub driver: Driver,
    /// Where it serves.
    pub data: SocketAddr,
    /// What it leads to.
    pub upstream: Upstream,
    own: Own,
}

#[derive(Debug)]
enum Own {
    Embedded(Option<Box<Embedded>>, TempDir),
    Nginx(Box<NginxSite>),
    Apisix(Box<Twin>),
}

impl Site {
    /// Starts one, with its routes in place; nothing was told to it yet.
    ///
    /// # Errors
    /// When something does not start.
    pub async fn start(kind: Kind) -> anyhow::Result<Self> {
        Self::severing(kind, true).await
    }

    /// The same; `sever`: whether its driver ends open streams, where the gateway does not do so itself.
    ///
    /// # Errors
    /// When something does not start.
    pub async fn severing(kind: Kind, sever: bool) -> anyhow::Result<Self> {
        let upstream = Upstream::start()?;
        match kind {
            Kind::Embedded => embedded(upstream),
            Kind::Nginx => nginx(upstream, sever).await,
            Kind::Apisix => apisix(upstream, sever).await,
        }
    }

    /// The way of this consumer, on its own route.
    ///
    /// # Errors
    /// When there is no such consumer.
    pub fn door(&self, consumer: &str) -> anyhow::Result<Door> {
        let known = KEYS.iter().find(|(name, _, _)| *name == consumer);
        let (_, key, route) = known.context("no such consumer")?;
        let path = match self.kind {
            Kind::Embedded => "/v1/chat/completions".to_owned(),
            Kind::Nginx | Kind::Apisix => format!("/{route}/v1/chat/completions"),
        };
        Ok(self.door_to(key, &path))
    }

    /// The way with this key, for any path.
    #[must_use]
    pub fn door_to(&self, key: &str, path: &str) -> Door {
        Door::at(self.data, key, path)
    }

    /// Ends the gateway.
    ///
    /// # Errors
    /// When it does not end.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        match &mut self.own {
            Own::Embedded(gateway, _) => {
                let gateway = gateway.take().context("runs")?;
                gateway.drain(Duration::ZERO).await;
            }
            Own::Nginx(site) => site.stop().await?,
            Own::Apisix(twin) => {
                twin.admin_down(true);
                twin.data_down(true);
                // Who is connected already is hung up on.
                twin.restart();
            }
        }
        Ok(())
    }

    /// Starts it again, as a new process would.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start_again(&mut self) -> anyhow::Result<()> {
        match &mut self.own {
            Own::Embedded(gateway, dir) => {
                *gateway = Some(Box::new(start(&self.upstream, dir, self.data)?));
            }
            Own::Nginx(site) => site.start().await?,
            Own::Apisix(twin) => {
                twin.admin_down(false);
                twin.data_down(false);
            }
        }
        Ok(())
    }

    /// Changes what its owner set up, so that a cut would no longer work; nothing, where there is nothing to change.
    ///
    /// # Errors
    /// When that cannot be done.
    pub async fn spoil(&mut self) -> anyhow::Result<()> {
        match &mut self.own {
            Own::Embedded(..) => Ok(()),
            Own::Nginx(site) => site.unguard().await,
            Own::Apisix(twin) => {
                let abort = serde_json::json!({ "abort": { "http_status": 418, "percentage": 1 } });
                let rule = serde_json::json!({ "plugins": { "fault-injection": abort } });
                twin.place("global_rules/theirs", rule)
            }
        }
    }

    /// The nginx, where it is one.
    ///
    /// # Errors
    /// When it is another.
    pub fn nginx(&mut self) -> anyhow::Result<&mut NginxSite> {
        match &mut self.own {
            Own::Nginx(site) => Ok(site),
            Own::Embedded(..) | Own::Apisix(_) => anyhow::bail!("not an nginx"),
        }
    }
}

fn embedded(upstream: Upstream) -> anyhow::Result<Site> {
    let dir = tempfile::tempdir()?;
    let gateway = start(&upstream, &dir, ([127, 0, 0, 1], 0).into())?;
    Ok(Site {
        kind: Kind::Embedded,
        driver: Driver::embedded(dir.path().join("control.sock")),
        data: gateway.local_addr(),
        upstream,
        own: Own::Embedded(Some(Box::new(gateway)), dir),
    })
}

fn start(upstream: &Upstream, dir: &TempDir, at: SocketAddr) -> anyhow::Result<Embedded> {
    let settings = gateway::Settings {
        table: table::table(&upstream.base_url())?,
        rules: Rules::default(),
        control_socket: dir.path().join("control.sock"),
        spool_dir: dir.path().join("spool"),
        probe_key: Secret::new("prb_site")?.hash(),
        front: gateway::Front::default(),
    };
    Embedded::start(settings, TcpListener::bind(at)?)
}

async fn nginx(upstream: Upstream, sever: bool) -> anyhow::Result<Site> {
    let mut site = NginxSite::new(upstream.addr)?;
    let settings = gateways::NginxSettings {
        sever,
        ..site.settings()
    };
    let driver = Driver::Nginx(gateways::Nginx::new(settings));
    let wanted = wanted(&upstream.base_url())?;
    // Writes the file that nginx includes.
    driver.reconcile(&wanted, Mode::Repair).await?;
    site.start().await?;
    Ok(Site {
        kind: Kind::Nginx,
        driver,
        data: site.data,
        upstream,
        own: Own::Nginx(Box::new(site)),
    })
}

async fn apisix(upstream: Upstream, sever: bool) -> anyhow::Result<Site> {
    let options = Options::default();
    let key = Secret::new(&options.admin_key)?;
    let twin = Twin::start(options)?;
    let driver = Driver::Apisix(Apisix::new(ApisixSettings {
        name: "apisix".parse()?,
        admin: twin.admin,
        admin_key: key,
        control: Some(twin.control),
        metrics: Some(twin.metrics),
        data: vec![twin.data],
        keeps: gateways::apisix::Keeps::Etcd,
        manage: true,
        sever,
        besides: gateways::apisix::Besides::default(),
    }));
    let drift = driver
        .reconcile(&wanted(&upstream.base_url())?, Mode::Repair)
        .await?;
    anyhow::ensure!(drift.failed.is_empty(), "{drift:?}");
    twin.settled().await?;
    Ok(Site {
        kind: Kind::Apisix,
        driver,
        data: twin.data,
        upstream,
        own: Own::Apisix(Box::new(twin)),
    })
}
