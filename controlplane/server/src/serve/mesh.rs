//! The mesh of a start: what is known of it, and cuts carried on to it. Its failure stops nothing else.

use crate::config::MeshSection;
use crate::paths::Home;
use crate::{clock, mesh as own};
use mesh::{Control, Keeper, KnownHost, LocalApi, MeshSettings};
use net_model::{MeshView, Snapshot, Zone};
use std::sync::Arc;
use std::time::Duration;
use store::Store;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How often the house's hosts are read for it.
const EVERY: Duration = Duration::from_secs(5);

/// Starts both tasks; they end with `stop`.
pub(super) fn start(
    section: MeshSection,
    home: &Home,
    store: Store,
    zones: impl Fn() -> Arc<[Zone]> + Send + 'static,
    house: watch::Receiver<Arc<Snapshot>>,
    tracker: &TaskTracker,
    stop: &CancellationToken,
) -> Result<watch::Receiver<Arc<MeshView>>, mesh::ControlError> {
    let settings = MeshSettings {
        local: section.socket.clone().map(LocalApi::at),
        control: section.control.clone().map(Control::new).transpose()?,
        cut: section.cut.clone(),
        kept: own::kept_policy(home),
        whois: None,
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
    Ok(views)
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
