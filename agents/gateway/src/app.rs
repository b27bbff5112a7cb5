//! What one running gateway shares.

use crate::{
    Front,
    account::Books,
    admission::Table,
    capture::Captures,
    deny::Denied,
    followed::Followed,
    governor::Governor,
    intake::Held,
    noted::Followers,
    notices::Notices,
    offers::Offers,
    overlay::{InForce, Older},
    realtime::Rooms,
    registry::{Registry, Swept},
    runaway::Runaways,
    upstream::Upstreams,
};
use arc_swap::ArcSwap;
use kill_wire::Timestamp;
use net_model::{KeyHash, Observed, Overlay};
use std::{path::PathBuf, sync::Arc};
use tokio::runtime::Handle;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// The two steps in which a gateway stops.
#[derive(Debug, Default)]
pub(crate) struct Stop {
    /// No new connections; open ones end after their exchange.
    pub(crate) draining: CancellationToken,
    /// What is still open is dropped.
    pub(crate) abandon: CancellationToken,
}

/// One running gateway.
#[derive(Debug)]
pub(crate) struct App {
    /// Different after each start.
    pub(crate) boot: String,
    pub(crate) started: Timestamp,
    pub(crate) table: ArcSwap<Table>,
    pub(crate) governor: Arc<Governor>,
    pub(crate) runaways: Arc<Runaways>,
    pub(crate) in_force: InForce,
    pub(crate) followed: Followed,
    pub(crate) registry: Arc<Registry>,
    pub(crate) upstreams: Upstreams,
    pub(crate) books: Books,
    pub(crate) offers: Offers,
    pub(crate) held: Held,
    pub(crate) rooms: Rooms,
    pub(crate) followers: Followers,
    pub(crate) captures: Captures,
    pub(crate) captures_dir: PathBuf,
    pub(crate) notices: Notices,
    pub(crate) probe_key: KeyHash,
    pub(crate) front: ArcSwap<Front>,
    pub(crate) stop: Stop,
    /// The thread at the door, which takes clients in and does what belongs to no lane.
    pub(crate) door: Handle,
    pub(crate) tasks: TaskTracker,
}

impl App {
    /// Puts an overlay in force and ends what it closes.
    pub(crate) fn apply(&self, overlay: Overlay) -> Result<Swept, Older> {
        let before = self.in_force.load();
        let changes = before.as_deref().is_none_or(|before| {
            before.latches != overlay.latches
                || before.paused != overlay.paused
                || before.held != overlay.held
        });
        let swept = self
            .in_force
            .put(overlay, |overlay| self.registry.sweep(overlay))?;
        if changes {
            self.tell(swept.severed);
        }
        // Only now: nothing stands between an overlay and its sweep.
        if let Some(overlay) = self.in_force.load() {
            self.governor.saw(&overlay);
        }
        Ok(swept)
    }

    fn tell(&self, severed: u32) {
        let Some(overlay) = self.in_force.load() else {
            return;
        };
        let names = |scopes: Vec<String>| scopes.join(" ");
        let cut = names(
            overlay
                .latches
                .as_slice()
                .iter()
                .map(|latch| latch.scope.to_string())
                .collect(),
        );
        let paused = names(overlay.paused.iter().map(ToString::to_string).collect());
        tracing::info!(
            seq = overlay.seq,
            cut,
            paused,
            severed,
            "A new overlay is in force."
        );
    }

    /// Ends everything that is open, because the gateway stops.
    pub(crate) fn sever_all(&self) -> Swept {
        self.registry.sever_where(|_| Some(Denied::Draining))
    }

    /// What an agent is told.
    pub(crate) fn observed(&self) -> Observed {
        let in_force = self.in_force.load();
        if let Some(overlay) = &in_force {
            self.governor.saw(overlay);
        }
        let table = self.table.load();
        let wanted = table.wanted();
        Observed {
            boot: self.boot.clone(),
            seq: in_force.as_ref().map(|overlay| overlay.seq),
            paused: in_force
                .as_ref()
                .map_or_else(Vec::new, |overlay| overlay.paused.clone()),
            held: in_force.map_or_else(Vec::new, |overlay| overlay.held.clone()),
            started: self.started,
            open: self.registry.open(),
            exchanges: self.registry.views(),
            points: table.points(),
            consumers: wanted
                .consumers()
                .iter()
                .map(|it| it.name.clone())
                .collect(),
            routes: wanted.routes().iter().map(|it| it.name.clone()).collect(),
            targets: table.views(),
            budgets: self.governor.budgets(),
            trips: self.governor.trips(),
            notices: self
                .notices
                .now()
                .into_iter()
                .chain(self.captures.notice())
                .collect(),
        }
    }
}
