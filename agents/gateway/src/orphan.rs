//! The gateway's own lease: without its node agent nobody could close it, so the agent's silence does.

use crate::app::App;
use kill_wire::Scope;
use net_model::Overlay;
use std::{sync::Arc, time::Duration};
use tokio::time::sleep;

/// How long the agent may be silent. It looks twice a second; a host that is busy for some seconds is no reason.
const LIMIT: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(500);

/// Pauses everything when the agent has been silent for [`LIMIT`]. The agent lifts it: it sees what differs.
pub(crate) async fn watch(app: Arc<App>) {
    app.stop
        .draining
        .run_until_cancelled(async {
            loop {
                sleep(LOOK).await;
                if app.followed.since() >= LIMIT {
                    pause(&app).await;
                }
            }
        })
        .await;
}

async fn pause(app: &App) {
    let Some(before) = app.in_force.load() else {
        return;
    };
    if before.paused.contains(&Scope::All) && before.held.is_empty() {
        return;
    }
    let paused = Overlay {
        paused: vec![Scope::All],
        // What holds while the kill switch is silent could still be cut; without an agent nothing could.
        held: Vec::new(),
        ..Overlay::clone(&before)
    };
    // An agent that spoke in this very moment has put a newer one in force; then there is nothing to pause.
    if let Ok(swept) = app.apply(paused) {
        let severed = swept.severed;
        let lingering = swept.gone().await;
        app.books.metrics.severed(severed, lingering);
        tracing::warn!(severed, "The node agent is silent: everything is paused.");
    }
}
