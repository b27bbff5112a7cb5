//! This machine as a host of its own house: invited and joined over loopback like any other.

use super::plan::Plan;
use crate::clock;
use crate::paths::Part;
use anyhow::Context as _;
use host_facts::{Besides, Buffer, Reporter, Surroundings, Watcher};
use hosts::{Guest, House};
use net_model::{Dial, HostName, HostRole, Tier, Token, ZoneName};
use node_agent::DrivenView;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use store::Store;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uplink::{IdentityError, State};
use zeroize::Zeroizing;

/// Most bytes of reports that wait.
const SHELF: u64 = 2 * 1024 * 1024;
/// The zone of a house that names none.
const ZONE: &str = "management";

/// What runs of it.
#[derive(Debug)]
pub(super) struct Own {
    stop: CancellationToken,
    tasks: JoinSet<()>,
    reporter: Reporter,
}

fn folder(plan: &Plan) -> PathBuf {
    plan.home.part(Part::Agent).join("uplink")
}

/// A token for this machine, unless it has joined before.
pub(super) async fn invite(
    plan: &Plan,
    store: &Store,
    house: &House,
) -> anyhow::Result<Option<Zeroizing<String>>> {
    match State::at(&folder(plan), clock::now).read() {
        Ok(_) => return Ok(None),
        Err(IdentityError::Absent) => {}
        Err(why) => return Err(why.into()),
    }
    let name = rustix::system::uname();
    let name = name.nodename().to_string_lossy().to_lowercase();
    let name: HostName = match name.split('.').next().unwrap_or_default().parse() {
        Ok(name) => name,
        Err(_) => "portcullis".parse()?,
    };
    let zones = &plan.config.zones;
    let control = zones.iter().find(|zone| zone.tier == Tier::Control);
    let zone: ZoneName = match control {
        Some(zone) => zone.name.clone(),
        None => ZONE.parse()?,
    };
    let guest = Guest {
        name: name.clone(),
        zone,
        roles: [HostRole::Management, HostRole::Gateway].into(),
        dial: Dial::Out,
        address: None,
    };
    let known = store.host(&name).await?.is_some();
    let invited = hosts::invite(store, house, guest, known, clock::now()).await?;
    Ok(Some(invited.context("this machine's name is taken")?.token))
}

impl Own {
    /// Joins by the token, if there is one, and brings reports from then on.
    pub(super) async fn start(
        plan: &Plan,
        to: SocketAddr,
        token: Option<Zeroizing<String>>,
        driven: DrivenView,
    ) -> anyhow::Result<Option<Self>> {
        let folder = folder(plan);
        let here = SocketAddr::new(std::net::Ipv4Addr::LOCALHOST.into(), to.port());
        let to = if to.ip().is_unspecified() { here } else { to };
        if let Some(token) = token {
            let token: Token = token.parse()?;
            uplink::join(&token, &[to], &folder, clock::now).await?;
        }
        let shelf = Buffer::open(folder.join("reports"), SHELF).context("no room for reports")?;
        let shelf = Arc::new(Mutex::new(shelf));
        let stop = CancellationToken::new();
        let settings = uplink::Settings {
            state_dir: folder,
            shelf,
            at: vec![to],
            listen: here,
            clock: clock::now,
            chance: || crate::random::random::<8>().map_or(0, |raw| u64::from_le_bytes(*raw)),
        };
        let around = Surroundings {
            every: host_facts::EVERY,
            shelf: Arc::clone(&settings.shelf),
            now_ms: Box::new(|| clock::now().millis()),
            besides: Box::new(move || Besides {
                driven: driven.facts(),
                ..Besides::default()
            }),
            kept: Box::new(|kept| {
                if let Err(why) = kept {
                    tracing::warn!(%why, "A report of this machine could not be written down.");
                }
            }),
        };
        let watcher = Watcher::new(host_facts::Settings::default(), env!("CARGO_PKG_VERSION"));
        let reporter = Reporter::start(watcher, around).context("no thread for reports")?;
        let mut tasks = JoinSet::new();
        tasks.spawn(uplink::run(settings, stop.clone()));
        Ok(Some(Self {
            stop,
            tasks,
            reporter,
        }))
    }

    /// Stops; what was not brought waits on the disk.
    pub(super) async fn stop(mut self, limit: Duration) {
        self.stop.cancel();
        let reporter = self.reporter;
        self.tasks.spawn_blocking(move || {
            if !reporter.stop(limit) {
                tracing::warn!(task = "reporter", ?limit, "Did not stop in time.");
            }
        });
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(limit, ended).await.is_err() {
            tracing::warn!(task = "uplink", ?limit, "Did not stop in time.");
        }
    }
}
