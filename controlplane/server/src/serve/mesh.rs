//! The mesh of a start: what is known of it, and cuts carried on to it. Its failure stops nothing else.

use crate::config::MeshSection;
use crate::paths::Home;
use crate::{clock, mesh as own};
use mesh::{Control, Keeper, KnownHost, LocalApi, MeshSettings, Whois};
use net_model::{MeshView, Snapshot, Zone};
use std::sync::Arc;
use std::time::Duration;
use store::Store;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How often the house's hosts are read for it.
const EVERY: Duration = Duration::from_secs(5);

/// What others take of it.
pub(super) struct Started {
    /// What is known.
    pub(super) views: watch::Receiver<Arc<MeshView>>,
    /// The service of this machine, and who it says is at an address.
    pub(super) service: Option<(LocalApi, Whois)>,
}

/// Starts both tasks; they end with `stop`.
pub(super) fn start(
    section: MeshSection,
    home: &Home,
    store: Store,
    zones: impl Fn() -> Arc<[Zone]> + Send + 'static,
    house: watch::Receiver<Arc<Snapshot>>,
    tracker: &TaskTracker,
    stop: &CancellationToken,
) -> Result<Started, mesh::ControlError> {
    let local = section.socket.clone().map(LocalApi::at);
    let whois = local.clone();
    let whois = whois.map(|local| Whois::new(local, &section.capability));
    let settings = MeshSettings {
        local: local.clone(),
        control: section.control.clone().map(Control::new).transpose()?,
        cut: section.cut.clone(),
        kept: own::kept_policy(home),
        whois: whois.clone(),
        clock: clock::now,
    };
    let (hosts, known) = watch::channel(Arc::new(Vec::new()));
    let (keeper, views) = Keeper::new(settings, house, known);
    tracker.spawn(keeper.run(stop.clone()));
    let stop = stop.clone();
    tracker.spawn(async move {
        let reading = feed(section, store, zones, hosts);
        stop.run_until_cancelled(reading).await;
    });
    let service = local.zip(whois);
    Ok(Started { views, service })
}

/// What cannot be read stays as it was.
async fn feed(
    section: MeshSection,
    store: Store,
    zones: impl Fn() -> Arc<[Zone]>,
    hosts: watch::Sender<Arc<Vec<KnownHost>>>,
) {
    loop {
        match own::known_hosts(&store, &zones(), &section.nodes).await {
            Ok(known) => {
                hosts.send_replace(Arc::new(known));
            }
            Err(error) => tracing::warn!(%error, "Hosts cannot be read for the mesh."),
        }
        tokio::time::sleep(EVERY).await;
    }
}
